// The chat works without this file. With it: old buttons go away once answered, Enter sends,
// and a press that did not get through says so.
"use strict";
(() => {
  const talk = document.getElementById("talk");
  const lost = document.getElementById("lost");
  const field = document.getElementById("text");

  // htmx still reads the pressed form while it swaps, so what is old is removed after.
  let old = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.shouldSwap) return;
    lost.hidden = true;
    const kept = event.detail.xhr.getResponseHeader("X-Keep-Buttons");
    old = kept ? [] : [...talk.querySelectorAll(".rows, .onward")];
  });
  document.addEventListener("htmx:afterSwap", () => {
    old.forEach((each) => each.remove());
    old = [];
  });
  // The second click of a double click may land on the next question's button: it means nothing.
  talk.addEventListener("click", (event) => {
    if (event.detail > 1) event.preventDefault();
  });
  const failed = () => {
    lost.hidden = false;
    lost.focus();
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);

  document.addEventListener("htmx:afterSettle", () => {
    const newest = talk.querySelectorAll(".first");
    const said = newest[newest.length - 1];
    if (said) said.scrollIntoView({ block: "start" });
  });

  // Enter while an input method is composing chooses a word; it must not send.
  field.addEventListener("keydown", (event) => {
    const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (!plain || event.keyCode === 229 || !matchMedia("(pointer: fine)").matches) return;
    event.preventDefault();
    if (field.value.trim()) field.form.requestSubmit();
  });

  // A page the browser kept in memory may show a question answered since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace("/c");
  });
})();
