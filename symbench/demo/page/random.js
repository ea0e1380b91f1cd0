// Random numbers of a seed: the same seed gives the same episode, shuffle after shuffle.

class Random {
  constructor(seed, stream) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b);
    for (let i = 0; i < 8; i++) this.uniform();
  }

  // In [0, 1), by the generator "mulberry32".
  uniform() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let z = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + (high - low) * this.uniform();
  }

  // Of mean 0 and standard deviation 1 (Box and Muller).
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  // All orders are equally likely (Fisher and Yates).
  shuffled(values) {
    const found = [...values];
    for (let i = found.length - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1));
      [found[i], found[j]] = [found[j], found[i]];
    }
    return found;
  }
}
