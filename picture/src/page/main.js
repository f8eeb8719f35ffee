// Joins the parts of the page, and reacts to mouse and keys.

class Page {
  constructor(model) {
    this.model = model;
    this.view = new View(model);
    this.search = new Search(model);
    this.ink = new Ink();
    const picture = byId("picture");
    const parts = [model, this.view, this.search, this.ink];
    this.overview = new Overview(picture, ...parts);
    this.story = new Story(picture, ...parts);
    this.strip = new Strip(byId("strip"), model, this.view, this.ink);
    this.details = new Details(byId("details-box"), model, (chosen) => this.pin(chosen));
    this.list = new EventList(byId("list"), byId("list-body"), model, this.view, this.search, {
      pin: (chosen) => this.pin(chosen),
      hover: (chosen) => this.hover(chosen),
      window: () => this.window(),
      ink: this.ink,
    });
    this.scheduled = false;
    this.pinnedTop = null;
    fillHeader(model);
    fillHelp(byId("help-box"));
    if (!readAddress(this.view)) this.view.showFailure();
    this.search.run(this.view.query);
    if (this.view.pinned === null && model.violation && !location.hash) {
      this.view.pinned = { kind: "violation", item: model.violation };
    }
    listenToTools(this);
    listenToPointer(this);
    listenToKeys(this);
    this.changed();
    this.list.follow(this.window().from, null);
  }

  get isStory() {
    return this.view.mode === "story";
  }

  /** The times that are visible. */
  window() {
    if (!this.isStory) return { from: this.view.from, to: this.view.to };
    const top = byId("scroller").scrollTop;
    return { from: this.story.timeAt(top + HEADS), to: this.story.timeAt(top + this.room.height) };
  }

  /** Something was changed that places things anew: mode, filters, size. */
  changed() {
    const scroller = byId("scroller");
    scroller.classList.toggle("story", this.isStory);
    this.room = { width: scroller.clientWidth, height: scroller.clientHeight };
    if (this.isStory) {
      const { width, height } = this.story.layout(this.room.width);
      byId("tall").style.height = `${Math.max(height, this.room.height)}px`;
      byId("tall").style.width = `${width}px`;
      scroller.scrollTop = this.story.yAt(this.view.at) - this.room.height * 0.6;
    } else {
      const height = this.overview.layout(this.room.width, this.room.height);
      byId("tall").style.height = `${height}px`;
      byId("tall").style.width = "auto";
    }
    showTools(this);
    this.list.refresh();
    this.redraw();
  }

  /** Draws once before the browser's next frame. */
  redraw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  draw() {
    const begin = performance.now();
    if (this.isStory) this.story.draw(byId("scroller").scrollTop, this.room.height);
    else this.overview.draw();
    const { from, to } = this.window();
    this.strip.draw(byId("strip").parentElement.clientWidth, Math.max(0, from), Math.min(this.model.duration, to));
    this.details.show(this.view.selected, this.view.hovered === null && this.view.pinned !== null);
    this.list.draw();
    showStatus(this, from, to);
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => writeAddress(this.view), 200);
    this.frameTime = performance.now() - begin;
    this.firstDrawn ??= performance.now();
  }

  /** The window was moved. */
  moved() {
    this.list.follow(this.window().from, null);
    this.redraw();
  }

  hover(chosen) {
    if (chosen?.item === this.view.hovered?.item) return;
    this.view.hovered = chosen;
    this.redraw();
  }

  /** Pins something and makes it visible; pinning it again unpins it. */
  pin(chosen) {
    const isSame = chosen && this.view.pinned?.item === chosen.item;
    this.view.pinned = isSame ? null : chosen;
    this.view.hovered = null;
    if (chosen && !isSame) {
      this.reveal(chosen);
      byId("said").textContent = `${seconds(timeOf(this.model, chosen), 100)} ${summary(this.model, chosen.kind, chosen.item)}`;
    }
    this.redraw();
  }

  reveal(chosen) {
    const at = timeOf(this.model, chosen);
    if (this.isStory) {
      this.view.at = at;
      const scroller = byId("scroller");
      const y = this.story.yAt(at);
      const isSeen = y > scroller.scrollTop + HEADS + ROW && y < scroller.scrollTop + this.room.height - ROW;
      if (!isSeen) scroller.scrollTop = y - this.room.height / 2;
    } else {
      this.view.reveal(at);
      this.scrollTo(chosen.item);
    }
    this.list.follow(0, chosen.item);
  }

  /** Scrolls to the lane of an item, if the overview is higher than its window. */
  scrollTo(item) {
    const y = this.overview.yOf[item.lane ?? item.to];
    const scroller = byId("scroller");
    if (y === undefined || y === null) return;
    if (y < scroller.scrollTop || y > scroller.scrollTop + this.room.height) scroller.scrollTop = y - this.room.height / 2;
  }

  showFailure() {
    this.view.showFailure();
    if (this.model.violation) this.view.pinned = { kind: "violation", item: this.model.violation };
    this.changed();
    this.moved();
  }

  showAll() {
    this.view.showAll();
    this.changed();
    this.moved();
  }

  setMode(mode) {
    if (mode === this.view.mode) return;
    const { from, to } = this.window();
    const pinned = this.view.pinned && timeOf(this.model, this.view.pinned);
    const middle = pinned !== null && pinned >= from && pinned <= to ? pinned : (from + to) / 2;
    if (this.isStory) this.view.reveal(middle);
    this.view.at = middle;
    this.view.mode = mode;
    this.changed();
  }

  /** Goes to the next or previous match of the search. */
  toMatch(direction) {
    const { from, to } = this.window();
    const match = this.search.next((from + to) / 2, direction, this.view.pinned?.item);
    if (match && this.view.pinned?.item !== match.item) this.pin({ kind: match.kind, item: match.item });
  }

  /** Goes to the next or previous accident; after the last one to the first. */
  toAccident(direction) {
    const { accidents } = this.model;
    if (accidents.length === 0) return;
    const here = accidents.indexOf(this.view.pinned?.item);
    const first = direction > 0 ? 0 : accidents.length - 1;
    const place = here < 0 ? first : (here + direction + accidents.length) % accidents.length;
    if (place !== here) this.pin({ kind: "accident", item: accidents[place] });
  }

  toEvent(direction) {
    const { from, to } = this.window();
    const row = this.list.step(direction, direction > 0 ? from : to);
    if (row && this.view.pinned?.item !== row.item) this.pin({ kind: row.kind, item: row.item });
  }
}

/** The time at which something is shown. */
function timeOf(model, { kind, item }) {
  if (kind === "violation") return model.moment;
  return kind === "call" ? item.sent : kind === "operation" ? item.from : item.at;
}

readRecording()
  .then((events) => {
    // Seen by the browser test and in the console.
    globalThis.page = new Page(new Model(events));
  })
  .catch((error) => {
    byId("verdict").textContent = `The recording cannot be shown: ${error.message}`;
    throw error;
  });
