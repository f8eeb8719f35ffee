// Mouse and keys.

function listenToPointer(page) {
  const picture = byId("picture");
  const scroller = byId("scroller");
  const drawn = () => (page.isStory ? page.story : page.overview);
  let drag = null;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.offsetX, y: event.offsetY, start: page.view.start, top: scroller.scrollTop, isMoved: false };
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!drag) {
      const found = drawn().hit(event.offsetX, event.offsetY);
      picture.style.cursor = found ? "pointer" : "grab";
      page.hover(found);
      return;
    }
    const [dx, dy] = [event.offsetX - drag.x, event.offsetY - drag.y];
    if (Math.hypot(dx, dy) > 4) drag.isMoved = true;
    if (drag.isMoved) dragTo(page, drag, dx, dy);
  });
  picture.addEventListener("pointerup", (event) => {
    const wasMoved = drag?.isMoved;
    drag = null;
    if (wasMoved) return;
    const found = drawn().hit(event.offsetX, event.offsetY);
    if (found || page.view.pinned) page.pin(found);
  });
  picture.addEventListener("pointercancel", () => {
    drag = null;
  });
  picture.addEventListener("pointerleave", () => page.hover(null));
  picture.addEventListener("wheel", (event) => turnWheel(page, event), { passive: false });
  scroller.addEventListener("scroll", () => {
    if (!page.isStory) return;
    page.view.at = page.story.timeAt(scroller.scrollTop + page.room.height * 0.6);
    page.moved();
  });
  listenToStrip(page);
}

function dragTo(page, drag, dx, dy) {
  const { view, overview } = page;
  if (page.isStory) {
    byId("scroller").scrollTop = drag.top - dy;
    return;
  }
  const perPixel = (view.stop - view.start) / (overview.right - overview.left);
  const length = view.stop - view.start;
  view.start = drag.start - dx * perPixel;
  view.stop = view.start + length;
  view.keepInside();
  page.moved();
}

/** The wheel zooms at the pointer, with shift it moves. In the story the browser scrolls. */
function turnWheel(page, event) {
  if (page.isStory) return;
  event.preventDefault();
  const { view, overview } = page;
  const isAcross = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
  if (isAcross) view.pan(((event.deltaX || event.deltaY) * lines) / (overview.right - overview.left));
  else view.zoom(Math.exp(event.deltaY * lines * 0.0015), overview.positionAt(event.offsetX));
  page.moved();
}

/** A click in the strip jumps, dragging moves along. */
function listenToStrip(page) {
  const strip = byId("strip");
  const jump = (event) => {
    const { view } = page;
    const position = page.strip.positionAt(event.offsetX);
    if (page.isStory) {
      view.at = view.scale.time(position);
      page.changed();
      return;
    }
    const length = view.stop - view.start;
    view.start = position - length / 2;
    view.stop = view.start + length;
    view.keepInside();
    page.moved();
  };
  strip.addEventListener("pointerdown", (event) => {
    strip.setPointerCapture(event.pointerId);
    jump(event);
  });
  strip.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) jump(event);
  });
}

/** Keys with one letter work unless the focus is where letters are typed. */
function listenToKeys(page) {
  const { view } = page;
  const scroller = byId("scroller");
  const move = (part) => {
    if (page.isStory) scroller.scrollTop += part * page.room.height;
    else view.pan(part);
  };
  const zoom = (factor) => !page.isStory && view.zoom(factor);
  const keys = {
    ArrowLeft: () => move(-0.2),
    ArrowRight: () => move(0.2),
    "+": () => zoom(0.6),
    "=": () => zoom(0.6),
    "-": () => zoom(1 / 0.6),
    f: () => page.showFailure(),
    a: () => page.showAll(),
    v: () => page.setMode(page.isStory ? "overview" : "story"),
    n: () => page.toEvent(1),
    p: () => page.toEvent(-1),
    N: () => page.toMatch(1),
    P: () => page.toMatch(-1),
    ">": () => page.toAccident(1),
    "<": () => page.toAccident(-1),
    i: () => {
      view.idle = { fade: "hide", hide: "show", show: "fade" }[view.idle];
      page.changed();
    },
    "/": () => byId("search").focus(),
    "?": () => {
      byId("help").open = !byId("help").open;
    },
    Escape: () => escape(page),
  };
  const steps = new Set(["f", "a", "v", "n", "p", "N", "P", "Escape", "?", "/", "i", ">", "<"]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches?.("input[type=search], select");
    if (isTyping && event.key !== "Escape") return;
    const isRadio = event.target.matches?.("input[type=radio], summary");
    const inList = byId("list").contains(event.target);
    const key = inList && event.key === "ArrowDown" ? "n" : inList && event.key === "ArrowUp" ? "p" : event.key;
    if (!keys[key] || (isRadio && key.startsWith("Arrow"))) return;
    event.preventDefault();
    keys[key]();
    if (!steps.has(key)) page.moved();
  });
}

/** Closes what is open, else unpins. */
function escape(page) {
  for (const id of ["filters", "help"]) {
    if (byId(id).open) {
      byId(id).open = false;
      byId(id).querySelector("summary").focus();
      return;
    }
  }
  if (document.activeElement === byId("search")) byId("search").blur();
  else page.pin(null);
}
