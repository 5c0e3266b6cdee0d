"use strict";
const images = Array.from(document.querySelectorAll("figure img"));
const player = document.getElementById("player");
const play = document.getElementById("play");
const slider = document.getElementById("frame");
const caption = document.getElementById("caption");
const last = images.length - 1;
const REST = 2000;
let timer = null;

function show(place) {
  images.forEach((image, i) => { image.hidden = i !== place; });
  caption.textContent = images[place].dataset.caption;
  slider.value = place;
  slider.setAttribute("aria-valuetext", images[place].dataset.caption);
}

function pause() {
  clearTimeout(timer);
  timer = null;
  play.textContent = "Play";
  caption.setAttribute("aria-live", "polite");
}

function step() {
  const place = Number(slider.value) === last ? 0 : Number(slider.value) + 1;
  show(place);
  timer = setTimeout(step, place === last ? REST : Number(player.dataset.milliseconds));
}

function toggle() {
  if (timer !== null) { pause(); return; }
  play.textContent = "Pause";
  caption.setAttribute("aria-live", "off");
  step();
}

play.addEventListener("click", toggle);
slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) { return; }
  const place = Number(slider.value);
  const places = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1, Home: 0, End: last };
  if (event.key === " ") {
    event.preventDefault();
    toggle();
  } else if (event.key in places) {
    event.preventDefault();
    pause();
    show(Math.min(last, Math.max(0, places[event.key])));
  }
});
document.addEventListener("keyup", (event) => {
  if (event.key === " ") { event.preventDefault(); }  // a button is pressed when space is released
});
player.hidden = false;
show(last);
