// The task CartPoleSwingUp, number for number that of symbench/envs/cartpole_swingup.py (Tang & Ha 2021).

const GRAVITY = 9.82; // m/s^2
const CART_MASS = 0.5; // kg
const POLE_MASS = 0.5; // kg
const POLE_LENGTH = 0.6; // m
const FRICTION = 0.1; // N s/m
const FORCE = 10; // N at action 1
const TIME_STEP = 0.01; // s
const TRACK_HALF_LENGTH = 2.4; // m
const EPISODE_STEPS = 1000;

// Where episodes begin: half the widths around (0, 0, pi, 0). In the task many carts are too fast to be stopped on
// their track, which is worth measuring and not worth watching.
const STARTS = {
  calm: [1, 0.5, Math.PI / 2, 1],
  task: [2.4, 10, Math.PI / 2, 10],
};

function firstState(random, start) {
  const [x, speed, angle, turning] = STARTS[start].map((width) => random.between(-width, width));
  return [x, speed, Math.PI + angle, turning];
}

// One explicit Euler step of [x, x_dot, theta, theta_dot]; theta 0 is upright.
function advance([x, xDot, theta, thetaDot], action) {
  const sin = Math.sin(theta);
  const cos = Math.cos(theta);
  const totalMass = CART_MASS + POLE_MASS;
  const poleMoment = POLE_MASS * POLE_LENGTH;
  const push = FORCE * Math.min(Math.max(action, -1), 1) - FRICTION * xDot;
  const centrifugal = poleMoment * thetaDot * thetaDot * sin;
  const xAcc =
    (-2 * centrifugal + 3 * POLE_MASS * GRAVITY * sin * cos + 4 * push) / (4 * totalMass - 3 * POLE_MASS * cos * cos);
  const thetaAcc =
    (-3 * centrifugal * cos + 6 * totalMass * GRAVITY * sin + 6 * push * cos) /
    (4 * POLE_LENGTH * totalMass - 3 * poleMoment * cos * cos);
  // Positions move with the old velocities, as in the published task.
  return [x + TIME_STEP * xDot, xDot + TIME_STEP * xAcc, theta + TIME_STEP * thetaDot, thetaDot + TIME_STEP * thetaAcc];
}

// Upright and centred is 1 per step.
function rewardOf([x, , theta]) {
  return ((Math.cos(theta) + 1) / 2) * Math.cos(((x / TRACK_HALF_LENGTH) * Math.PI) / 2);
}

function observationOf([x, xDot, theta, thetaDot]) {
  return Float32Array.of(x, xDot, Math.cos(theta), Math.sin(theta), thetaDot);
}

function leftTrack([x]) {
  return Math.abs(x) > TRACK_HALF_LENGTH;
}
