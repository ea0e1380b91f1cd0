// The page of a local server: what somebody asks for goes there, what it says is drawn.

const EPISODES_SHOWN = 6;
const LOST = "The server has ended or does not answer: start symbench demo again, then load this page again.";

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
const live = { hello: undefined, state: undefined, lanes: [], panel: undefined, episode: 0, agents: "", stale: false, fatal: false };
const socket = new WebSocket(`ws://${location.host}/play`);
const sensors = new LiveSensors(ask);
const chips = new Chips(byId("chips"), sensors, (message) => {
  say(message);
  chips.show();
});
let colours = palette();

function ask(message) {
  byId("trouble").hidden = true;
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

const say = (message) => (byId("said").textContent = message);

function trouble(message, fatal = false) {
  live.fatal ||= fatal;
  byId("trouble").textContent = message;
  byId("trouble").hidden = false;
}

const HEARD = {
  hello(message) {
    live.hello = message;
    document.title = `${message.task} - symbench`;
    byId("task").textContent = message.task;
    byId("lead").textContent = message.description;
    live.lanes = SIDES.map((_, side) => new LiveLane(side, message.agents, (agent) => ask({ do: "choose", side, agent })));
    byId("lanes").append(...live.lanes.map(({ section }) => section));
    live.panel = new Panel(byId("perturbations"), byId("unfit"), message.perturbations, { perturb, redraw });
    for (const id of ["shuffle", "in-order"]) byId(id).disabled = !message.shuffle;
    const unfit = message.perturbations.filter(({ reason }) => reason).length;
    byId("unfit-title").textContent = `${unfit} do not fit this task`;
    if (!reducedMotion) ask({ do: "play", on: true });
  },

  state(message) {
    const agents = message.lanes.map(({ agent }) => agent).join();
    if (message.episode !== live.episode || agents !== live.agents) live.lanes.forEach((lane) => lane.begin());
    if (message.episode !== live.episode) byId("seed").value = message.seed;
    if (message.over && !live.state?.over) remember(message);
    [live.state, live.episode, live.agents, live.stale] = [message, message.episode, agents, true];
    live.lanes.forEach((lane, side) => lane.show(message.lanes[side]));
    live.panel.show(message.severities);
    showSensors(message.sensors);
    byId("pause").textContent = message.running ? "Pause" : "Play";
    byId("speed-shown").textContent = `${message.speed}x`;
    byId("pipeline").textContent = `${["environment", ...message.pipeline].join(" → ")} → agent`;
  },

  error({ message, fatal }) {
    sensors.refused();
    trouble(message, fatal);
  },
};

socket.addEventListener("message", ({ data }) => {
  const message = JSON.parse(data);
  HEARD[message.type](message);
});
socket.addEventListener("close", () => {
  if (!live.fatal) trouble(LOST, true);
  for (const control of document.querySelectorAll("button, select, input")) control.disabled = true;
});

function perturb(name, severity) {
  ask({ do: "perturb", name, severity });
  say(severity ? `${name} at severity ${severity}` : `${name} is off`);
}

function redraw(name) {
  ask({ do: "redraw", name });
  say(`${name} is drawn again`);
}

// What the task's observations can be shuffled by is switched on, or drawn again.
function shuffle() {
  const name = live.hello?.shuffle;
  if (name && live.state?.severities[name]) redraw(name);
  else if (name) perturb(name, 1);
}

function showSensors(told) {
  byId("sensors").hidden = !told;
  if (!told) return;
  sensors.hear(told);
  chips.show();
}

function putInOrder() {
  sensors.putInOrder();
  if (live.state?.severities[live.hello.shuffle]) perturb(live.hello.shuffle, 0);
}

function remember({ seed, lanes }) {
  const played = SIDES.map((_, side) => (lanes[side]?.steps ? rounded(lanes[side].return) : "–"));
  byId("episodes").tBodies[0].prepend(element("tr", {}, ...[seed, ...played].map((cell) => element("td", {}, String(cell)))));
  byId("episodes").tBodies[0].children[EPISODES_SHOWN]?.remove();
  byId("episodes").hidden = false;
}

// Of 1, 2 or 5 times a power of ten, so that about four of it reach so far.
function niceStep(size) {
  const power = 10 ** Math.floor(Math.log10(size / 4));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => size / step <= 5);
}

function returnsNow() {
  const lines = live.lanes.map(({ points }) => points);
  const points = lines.flat();
  const [low, high] = [Math.min, Math.max].map((of) => points.reduce((found, [, value]) => of(found, value), 0));
  const step = niceStep(high - low || 1);
  const [first, last] = [Math.floor(low / step), Math.max(Math.ceil(high / step), Math.floor(low / step) + 1)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  const steps = points.reduce((found, [at]) => Math.max(found, at), 10);
  const unit = niceStep(steps);
  return { lines, changes: live.state.changes, end: Math.ceil(steps / unit) * unit, values: ticks, label: (at) => `${Math.round(at)}` };
}

function frame() {
  if (live.stale) {
    live.lanes.forEach((lane) => lane.draw(colours));
    drawReturns(byId("returns"), returnsNow(), colours);
    live.stale = false;
  }
  requestAnimationFrame(frame);
}

const begin = (seed) => ask({ do: "begin", seed });

press(
  {
    pause: () => ask({ do: "play", on: !live.state?.running }),
    step: () => ask({ do: "step" }),
    next: () => begin((live.state.seed + 1) % 2 ** 31),
    again: () => begin(live.state.seed),
    "in-order": putInOrder,
    shuffle,
  },
  { " ": "pause", ".": "step", n: "next", s: "shuffle", o: "in-order" },
);
byId("speed").addEventListener("input", ({ target }) => {
  ask({ do: "speed", times: SPEEDS[target.value] });
  target.setAttribute("aria-valuetext", `${SPEEDS[target.value]} times`);
});
byId("seed").addEventListener("change", ({ target }) => {
  if (target.checkValidity() && target.value) begin(Number(target.value));
  else target.value = live.state.seed;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = palette();
  live.stale = Boolean(live.state);
});
addEventListener("resize", () => (live.stale = Boolean(live.state)));
requestAnimationFrame(frame);
