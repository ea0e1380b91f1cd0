// The page: two lanes, the controls, and the clock.

const FIRST_SEED = 1;
const FRAME_BUDGET = 10; // ms of simulation a frame: at high speed time goes slower rather than the page
const PAUSE_BETWEEN = 1500; // ms between episodes
const VALUES_EVERY = 100; // ms between changes of numbers, which nobody reads faster
const EPISODES_SHOWN = 6;

const agents = JSON.parse(byId("agents").textContent);
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
const session = new Session(["mlp", "attention-neuron"].map((kind) => agents.find((agent) => agent.kind === kind) ?? agents[0]), FIRST_SEED);
const chips = new Chips(byId("chips"), new SessionSensors(session), changed);
const lanes = session.runs.map((run, place) => makeLane(run, place));
const clock = { running: !reducedMotion, speed: 1, last: 0, owed: 0, overSince: 0, shownAt: 0, stale: true };
let colours = palette();

function makeLane(run, place) {
  const lane = byId("lane").content.cloneNode(true).firstElementChild;
  const find = (selector) => lane.querySelector(selector);
  const select = find("select");
  find(".unseen").textContent = `Agent on the ${SIDES[place]}`;
  select.append(...agents.map(({ name }, i) => element("option", { value: i, selected: agents[i] === run.agent }, name)));
  select.addEventListener("change", () => {
    session.choose(place, agents[select.value]);
    changed(`${agents[select.value].name} plays on the ${SIDES[place]}`);
  });
  byId("lanes").append(lane);
  const [scene, state, inputs, description] = [".scene", ".state", ".inputs", ".description"].map(find);
  return { scene, state, inputs, description, figure: find(".figure b") };
}

// Something was done to the session: say it, and draw it although time stands still.
function changed(message) {
  clock.stale = true;
  byId("said").textContent = message;
  chips.show();
}

function setRunning(running) {
  clock.running = running;
  clock.owed = 0;
  byId("pause").textContent = running ? "Pause" : "Play";
  clock.stale = true;
}

function begin(seed) {
  session.begin(seed);
  clock.overSince = clock.owed = 0;
  byId("seed").value = seed;
  changed("");
}

const nextSeed = () => (session.seed + 1) % 1_000_000;

function remember() {
  const cells = [session.seed, ...session.runs.map((run) => (run.steps ? run.return.toFixed(0) : "–"))];
  byId("episodes").tBodies[0].prepend(element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell)))));
  byId("episodes").tBodies[0].children[EPISODES_SHOWN]?.remove();
  byId("episodes").hidden = false;
}

function tick() {
  session.tick();
  if (session.over) remember();
}

// One press of the button; after the end of an episode the next begins.
function step() {
  setRunning(false);
  if (!session.over) tick();
  else if (!session.stuck) begin(nextSeed());
}

function shuffle() {
  session.shuffle();
  changed(`Order: ${session.perturbations.order.map((channel) => channelName(channel).name).join(", ")}`);
}

function putInOrder() {
  session.perturbations.putInOrder();
  session.orderChanged();
  changed("The sensors are in order");
}

function flip() {
  const { perturbations } = session;
  perturbations.flipped = !perturbations.flipped;
  byId("flip").setAttribute("aria-pressed", String(perturbations.flipped));
  changed(perturbations.flipped ? "The world is mirrored" : "The world is as it was");
}

function stateOf(run) {
  const seconds = `${(run.steps * TIME_STEP).toFixed(2)} s`;
  const problem = run.problem(session.channels);
  if (problem) return `Cannot act: it ${problem}`;
  if (run.left) return `Left the track after ${seconds}`;
  const mirrored = session.perturbations.flipped ? ", mirrored" : "";
  return session.over ? `Played to the end, ${seconds}` : `${seconds}${mirrored}`;
}

function showNumbers() {
  session.runs.forEach((run, i) => {
    const { figure, state, scene, inputs, description } = lanes[i];
    const told = stateOf(run);
    figure.textContent = run.return.toFixed(0);
    state.textContent = told;
    state.classList.toggle("lost", Boolean(run.left || run.problem(session.channels)));
    description.textContent = run.agent.description;
    scene.setAttribute("aria-label", `Cart and pole of ${run.agent.name}: ${told}`);
    inputs.setAttribute("aria-label", `What ${run.agent.name} is given over the last steps, by place, and what it makes of it`);
  });
  const told = session.runs.map((run, i) => `${SIDES[i]} ${run.return.toFixed(0)}`).join(", ");
  byId("returns").setAttribute("aria-label", `Return of both agents over the episode: ${told}`);
  chips.show();
}

function draw() {
  const { perturbations } = session;
  session.runs.forEach((run, i) => {
    const options = { mirrored: perturbations.flipped, still: Boolean(run.problem(session.channels)) };
    drawScene(lanes[i].scene, run, colours, SIDES[i], options);
    drawInputs(lanes[i].inputs, inputsOf(run, perturbations.order), colours);
  });
  drawReturns(byId("returns"), returnsOf(session), colours);
}

// Simulate what has passed since the last frame, and begin the next episode some time after the last one.
function pass(now) {
  const elapsed = Math.min(now - clock.last, 100);
  clock.last = now;
  if (!clock.running || session.stuck) return;
  if (session.over) {
    clock.overSince ||= now;
    if (now - clock.overSince > PAUSE_BETWEEN) begin(nextSeed());
    return;
  }
  clock.owed += (elapsed / 1000 / TIME_STEP) * clock.speed;
  const deadline = performance.now() + FRAME_BUDGET;
  for (; clock.owed >= 1 && !session.over && performance.now() < deadline; clock.owed--) tick();
  clock.owed = Math.min(clock.owed, 1);
  clock.stale = true;
}

function frame(now) {
  pass(now);
  if (clock.stale) {
    if (!clock.running || now - clock.shownAt > VALUES_EVERY) {
      showNumbers();
      clock.shownAt = now;
    }
    draw();
    clock.stale = clock.running && now !== clock.shownAt;
  }
  requestAnimationFrame(frame);
}

function settings() {
  byId("noise").addEventListener("input", ({ target }) => {
    session.setNoiseChannels(Number(target.value));
    byId("noise-shown").textContent = target.value;
    changed(`${target.value} channels of noise`);
  });
  byId("speed").addEventListener("input", ({ target }) => {
    clock.speed = SPEEDS[target.value];
    byId("speed-shown").textContent = `${clock.speed}x`;
    target.setAttribute("aria-valuetext", `${clock.speed} times`);
  });
  byId("every").addEventListener("change", ({ target }) => (session.perturbations.every = Number(target.value)));
  byId("start").addEventListener("change", ({ target }) => {
    session.start = target.value;
    begin(session.seed);
  });
  byId("seed").addEventListener("change", ({ target }) => begin(target.checkValidity() && target.value ? Number(target.value) : session.seed));
}

const BUTTONS = {
  pause: () => setRunning(!clock.running),
  step,
  next: () => begin(nextSeed()),
  again: () => begin(session.seed),
  "in-order": putInOrder,
  shuffle,
  flip,
};
press(BUTTONS, { " ": "pause", ".": "step", n: "next", s: "shuffle", o: "in-order", f: "flip" });
settings();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = palette();
  clock.stale = true;
});
addEventListener("resize", () => (clock.stale = true));
byId("seed").value = FIRST_SEED;
setRunning(clock.running);
changed("");
requestAnimationFrame(frame);
