// The sensors as a list one can rearrange, by pointer and by keyboard.

class Chips {
  // changed(message): the order, or who is dead, is another one now.
  constructor(list, session, changed) {
    [this.list, this.session, this.changed] = [list, session, changed];
    this.shown = "";
  }

  get perturbations() {
    return this.session.perturbations;
  }

  // Bring the list up to date; nothing is made anew that is there.
  show() {
    const { order, dead } = this.perturbations;
    const state = `${order} ${[...dead]}`;
    if (state !== this.shown) {
      const old = new Map([...this.list.children].map((chip) => [Number(chip.dataset.channel), chip]));
      const focused = document.activeElement;
      this.list.replaceChildren(...order.map((channel, place) => this.placed(old.get(channel) ?? this.make(channel), place)));
      if (this.list.contains(focused)) focused.focus({ preventScroll: true }); // what is moved loses it
      this.list.classList.toggle("many", order.length > SENSORS.length);
      this.shown = state;
    }
    this.showValues();
  }

  make(channel) {
    const { symbol, name } = channelName(channel);
    const chip = element("li", { className: channel < SENSORS.length ? "chip" : "chip noise" });
    chip.dataset.channel = channel;
    const handle = element("button", { type: "button", className: "handle" });
    handle.setAttribute("aria-describedby", "chip-help");
    const values = channel < SENSORS.length ? SIDES : ["noise"];
    handle.append(element("b", {}, symbol), element("span", { className: "name" }, name));
    handle.append(...values.map((side) => element("span", { className: `value ${side}`, ariaHidden: "true" })));
    handle.addEventListener("keydown", (event) => this.key(event, channel));
    handle.addEventListener("pointerdown", (event) => this.drag(event, chip, channel));
    chip.append(handle);
    if (channel < SENSORS.length) chip.append(this.makeSwitch(channel, name));
    return chip;
  }

  makeSwitch(channel, name) {
    const alive = element("button", { type: "button", className: "alive", role: "switch" }, "alive");
    alive.setAttribute("aria-label", `${name} is alive`);
    alive.addEventListener("click", () => {
      this.perturbations.toggle(channel);
      this.changed(`${name} is ${this.perturbations.dead.has(channel) ? "dead" : "alive"}`);
    });
    return alive;
  }

  placed(chip, place) {
    const channel = Number(chip.dataset.channel);
    const dead = this.perturbations.dead.has(channel);
    const of = this.perturbations.order.length;
    const handle = chip.querySelector(".handle");
    handle.setAttribute("aria-label", `${channelName(channel).name}, place ${place + 1} of ${of}`);
    chip.classList.toggle("dead", dead);
    const alive = chip.querySelector(".alive");
    alive?.setAttribute("aria-checked", String(!dead));
    alive?.replaceChildren(dead ? "dead" : "alive");
    return chip;
  }

  // Of a sensor one value for each side, of noise the one that both are given.
  showValues() {
    const latest = this.session.runs.map((run) => (run.problem(this.session.channels) ? undefined : run.inputs.at(-1)));
    this.perturbations.order.forEach((channel, place) => {
      const shown = this.list.children[place].querySelectorAll(".value");
      const given = channel < SENSORS.length ? latest : [latest.findLast(Boolean)];
      shown.forEach((value, i) => {
        const text = given[i]?.[place] === undefined ? "–" : signed(given[i][place]);
        if (value.textContent !== text) value.textContent = text;
      });
    });
  }

  move(channel, to) {
    const from = this.perturbations.order.indexOf(channel);
    const place = Math.min(Math.max(to, 0), this.perturbations.order.length - 1);
    if (from === place) return;
    this.perturbations.move(from, place);
    this.session.orderChanged();
    this.changed(`${channelName(channel).name} is now at place ${place + 1} of ${this.perturbations.order.length}`);
  }

  key(event, channel) {
    const place = this.perturbations.order.indexOf(channel);
    const places = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: Infinity };
    if (!(event.key in places)) return;
    event.preventDefault();
    this.move(channel, places[event.key]);
  }

  // Follow the pointer: the chip takes the place of the one it is above.
  drag(event, chip, channel) {
    if (event.button !== 0) return;
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      chip.classList.remove("moving");
    };
    const follow = ({ clientX, clientY }) => {
      const above = document.elementFromPoint(clientX, clientY)?.closest(".chip");
      if (above && above !== chip && this.list.contains(above)) this.move(channel, [...this.list.children].indexOf(above));
    };
    chip.classList.add("moving");
    for (const [type, listener] of [["pointermove", follow], ["pointerup", end], ["pointercancel", end]]) {
      addEventListener(type, listener, { signal: ended.signal });
    }
  }
}
