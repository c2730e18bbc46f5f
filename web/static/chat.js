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
  document.documentElement.classList.add("scripted");

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
    const left = field() ? field().value : draft; // where a file is wanted there is no field
    draft = typed && sent && sent === left ? "" : left;
    height = xhr.getResponseHeader("X-In-Place") ? under(pressed) ?? 0 : null;
    turning = true;
    quiet();
  });
  document.addEventListener("htmx:afterSwap", () => {
    old.forEach((each) => each.remove());
    old = [];
    if (!field()) return;
    if (draft && !field().value) field().value = draft;
    draft = "";
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!turning) return;
    turning = false;
    offer();
    ready();
    if (height === null) {
      hasty = [];
      reveal([...talk.querySelectorAll(".first")].pop());
    } else {
      stay();
    }
    const on = document.getElementById("say").dataset.typing || fine.matches;
    if (typed && on) field()?.focus({ preventScroll: true });
  });
  // From `newest` on, but the buttons of the question must not end up below the composer: what was
  // said may leave the window for them, the question's own words only for a few buttons.
  const reveal = (newest) => {
    const asked = [...talk.querySelectorAll(".question")].pop();
    const rows = asked?.querySelector(".rows")?.getBoundingClientRect();
    const seen = innerHeight - document.querySelector(".composer").offsetHeight;
    let top = newest ? newest.getBoundingClientRect().top - 12 : 0;
    if (rows) {
      const words = asked.getBoundingClientRect().top - 12;
      const need = rows.bottom + 8 - seen;
      top = Math.max(top, rows.height < seen / 3 ? need : Math.min(need, words));
    }
    if (newest || top > 0) scrollBy({ top });
  };
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
    reveal();
  };
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:responseError", failed);

  // ---- files

  const chosen = (form) => [...form.querySelectorAll("input[type=file]")].flatMap((each) => [...each.files]);
  document.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    const form = event.target.form;
    form.querySelectorAll("input[type=file]").forEach((each) => {
      if (each !== event.target && event.target.files.length) each.value = "";
    });
    ready();
    reveal();
  });
  const short = (name) => (name.length > 32 ? `${name.slice(0, 18)}…${name.slice(-12)}` : name);
  const ready = () => {
    if (!large()) return;
    const form = document.getElementById("say");
    const [file] = chosen(form);
    const fits = Boolean(file) && file.size <= Number(form.dataset.largest);
    const line = document.getElementById("chosen");
    large().hidden = !file || fits;
    document.getElementById("ready").classList.toggle("full", fits);
    line.textContent = fits ? line.dataset.chosen.replace("{name}", () => short(file.name)) : "";
  };
  ready();
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
      () => {
        finding.textContent = finding.dataset.unfound;
        reveal();
      },
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
    if (event.persisted) location.replace(lost.querySelector("a").href);
  });
})();
