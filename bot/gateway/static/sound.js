/** A short, soft tone for a message that comes in unseen: made here, off unless wanted, and remembered. */

const VOLUME = 0.06;
const NOTES = [[659.25, 0], [880, 0.12]]; // hertz, and after how many seconds
const NOTE_SECONDS = 0.32;

export class Sound {
  #button;
  #shelf;
  #context = null;
  #isOn;

  /** `button` switches it; `shelf` remembers; `isOn` counts until the customer has decided. */
  constructor({ button, shelf, isOn }) {
    this.#button = button;
    this.#shelf = shelf;
    this.#isOn = shelf.read() ?? isOn;
    this.#draw();
    button.hidden = !window.AudioContext;
    button.addEventListener("click", () => {
      this.#isOn = !this.#isOn;
      shelf.write(this.#isOn);
      this.#draw();
      this.play(); // so that it is known what it sounds like; the browser wants a first sound to follow a click
    });
  }

  /** Play it, if it is on. A browser that does not allow it stays silent. */
  async play() {
    if (!this.#isOn || !window.AudioContext) return;
    try {
      this.#context ??= new AudioContext();
      if (this.#context.state !== "running") await this.#context.resume();
      for (const [hertz, after] of NOTES) this.#note(hertz, this.#context.currentTime + after);
    } catch { /* no sound is no harm */ }
  }

  #note(hertz, at) {
    const tone = new OscillatorNode(this.#context, { type: "sine", frequency: hertz });
    const volume = new GainNode(this.#context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + NOTE_SECONDS);
  }

  #draw() {
    this.#button.setAttribute("aria-pressed", String(this.#isOn));
  }
}
