// The chat works without this file. With it: old buttons go away once answered, a question shown
// again stays where it stood, Enter sends, and a press that did not get through says so.
"use strict";
(() => {
  const talk = document.getElementById("talk");
  const lost = document.getElementById("lost");
  const sending = document.getElementById("sending");
  const field = () => document.getElementById("text"); // htmx puts new ones in
  const large = () => document.getElementById("large");
  const fine = matchMedia("(pointer: fine)");

  // ---- a turn

  const named = (box) => box.lastChild.textContent;
  let hasty = []; // boxes ticked while the one before was still on its way
  let old = []; // htmx still reads the pressed form while it swaps, so what is old is removed after
  let draft = ""; // typed, but not sent
  let typed = false; // the turn came from the field
  let pressed = null; // the name of the box ticked last
  let height = null; // where that stood in the window, while it shall stay there
  let turning = false; // htmx tells of each element it settles; the first time is enough
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.shouldSwap) return;
    const xhr = event.detail.xhr;
    const kept = xhr.getResponseHeader("X-Keep-Buttons");
    old = kept ? [] : [...talk.querySelectorAll(".rows, .onward")];
    const sent = event.detail.requestConfig.parameters.text;
    typed = event.detail.requestConfig.elt.id === "say";
    draft = typed && sent && sent === field().value ? "" : field().value;
    height = xhr.getResponseHeader("X-In-Place") ? under(pressed) ?? 0 : null;
    turning = true;
    quiet();
  });
  document.addEventListener("htmx:afterSwap", () => {
    old.forEach((each) => each.remove());
    old = [];
    if (draft && !field().value) field().value = draft;
    draft = "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!turning) return;
    turning = false;
    offer();
    if (height === null) {
      hasty = [];
      const newest = [...talk.querySelectorAll(".first")].pop();
      if (newest) newest.scrollIntoView({ block: "start" });
    } else {
      stay();
    }
    const on = document.getElementById("say").dataset.typing || fine.matches;
    if (typed && on) field().focus({ preventScroll: true });
  });
  const boxed = (name) => [...talk.querySelectorAll("[aria-pressed]")].find((each) => named(each) === name);
  const under = (name) => boxed(name)?.getBoundingClientRect().top;
  const stay = () => {
    scrollBy({ top: (under(pressed) ?? height) - height, behavior: "instant" });
    const asked = [...talk.querySelectorAll(".question")].pop();
    const idle = !document.activeElement || document.activeElement === document.body;
    if (idle && asked) asked.focus({ preventScroll: true });
    if (document.activeElement === asked) asked.querySelector(".words").scrollIntoView({ block: "nearest" });
    boxed(hasty.shift())?.click();
  };
  talk.addEventListener("click", (event) => {
    // The second click of a double click may land on the next question's button: it means nothing.
    if (event.detail > 1) event.preventDefault();
    const box = event.target.closest("[aria-pressed]");
    if (event.detail > 1 || !event.target.closest("button")) return;
    if (box && document.querySelector(".htmx-request")) hasty.push(named(box));
    else pressed = box && named(box);
  });

  // ---- what went wrong

  const quiet = () => {
    lost.hidden = sending.hidden = true;
    if (large()) large().hidden = true;
  };
  const failed = (event) => {
    quiet();
    const alert = event.detail.xhr && event.detail.xhr.status === 413 ? large() || lost : lost;
    alert.hidden = false;
    alert.focus();
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);

  // ---- files

  const chosen = (form) => [...form.querySelectorAll("input[type=file]")].flatMap((each) => [...each.files]);
  document.addEventListener("change", (event) => {
    if (event.target.type !== "file" || !event.target.files.length) return;
    const form = event.target.form;
    form.querySelectorAll("input[type=file]").forEach((each) => {
      if (each !== event.target) each.value = "";
    });
    large().hidden = event.target.files[0].size <= Number(form.dataset.largest);
  });
  document.addEventListener("htmx:confirm", (event) => {
    const form = event.detail.elt;
    if (!form.dataset.largest) return;
    if (chosen(form).some((file) => file.size > Number(form.dataset.largest))) {
      event.preventDefault();
      failed({ detail: { xhr: { status: 413 } } });
    }
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    if (!event.detail.lengthComputable || !chosen(document.getElementById("say")).length) return;
    sending.hidden = false;
    sending.value = event.detail.loaded / event.detail.total;
  });

  // ---- the place where one is; the browser asks for leave, and only once the button is pressed

  const offer = () => {
    const place = document.getElementById("place");
    if (place && isSecureContext && navigator.geolocation) place.hidden = false;
  };
  offer();
  document.addEventListener("click", (event) => {
    if (event.target.id !== "here") return;
    const form = event.target.form;
    const finding = document.getElementById("finding");
    finding.textContent = finding.dataset.finding;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (!form.isConnected) return; // meanwhile something else was answered
        finding.textContent = "";
        for (const name of ["latitude", "longitude", "accuracy"]) form.elements[name].value = coords[name];
        form.requestSubmit();
      },
      () => (finding.textContent = finding.dataset.unfound),
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  });

  // ---- the field

  // Enter while an input method is composing chooses a word; it must not send.
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text") return;
    const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (!plain || event.keyCode === 229 || !fine.matches) return;
    event.preventDefault();
    if (field().value.trim()) field().form.requestSubmit();
  });

  // A page the browser kept in memory may show a question answered since.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace("/c");
  });
})();
