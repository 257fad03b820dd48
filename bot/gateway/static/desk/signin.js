/** Signing in, and choosing a password of one's own. */

const $ = (id) => document.getElementById(id);

export class SignIn {
  #api;
  #onSignedIn;
  #password = null; // the one-time password, so that it need not be typed again at once
  #then = null;
  #isBusy = false;

  /** `onSignedIn({agent, csrf})` is called once somebody is in, with a password of their own. */
  constructor(api, onSignedIn) {
    this.#api = api;
    this.#onSignedIn = onSignedIn;
    $("signin-form").addEventListener("submit", (event) => this.#submit(event, () => this.#signIn()));
    $("password-form").addEventListener("submit", (event) => this.#submit(event, () => this.#changePassword()));
    $("password-cancel").addEventListener("click", () => this.#finish());
  }

  /** Show the form; `problem` says why one has to sign in again. */
  show(problem = "") {
    this.#open("signin-form");
    this.#say(problem);
    $("password").value = "";
    ($("email").value ? $("password") : $("email")).focus();
  }

  /** Ask for a new password: on somebody's own wish (`canCancel`), or because an admin made the one until now. */
  askForPassword(signedIn, { canCancel = false } = {}) {
    this.#then = signedIn;
    this.#open("password-form");
    this.#say("");
    $("password-user").value = signedIn.agent.email;
    $("old-field").hidden = this.#password !== null;
    $("password-cancel").hidden = !canCancel;
    for (const id of ["old-password", "new-password", "new-password-again"]) $(id).value = "";
    (this.#password === null ? $("old-password") : $("new-password")).focus();
  }

  async #signIn() {
    const password = $("password").value;
    const signedIn = await this.#api.post("login", { email: $("email").value.trim(), password });
    this.#api.csrf = signedIn.csrf;
    $("password").value = "";
    if (!signedIn.agent.must_change_password) return this.#leave(signedIn);
    this.#password = password;
    this.askForPassword(signedIn);
  }

  async #changePassword() {
    const fresh = $("new-password").value;
    if (fresh !== $("new-password-again").value) throw new Error("The two new passwords are not the same.");
    const answer = await this.#api.put("password", { old: this.#password ?? $("old-password").value, new: fresh });
    this.#then = { ...this.#then, ...(answer ?? {}), agent: { ...this.#then.agent, ...(answer?.agent ?? {}), must_change_password: false } };
    this.#finish();
  }

  #finish() {
    const signedIn = this.#then;
    for (const id of ["old-password", "new-password", "new-password-again"]) $(id).value = "";
    this.#leave(signedIn);
  }

  #leave(signedIn) {
    this.#password = this.#then = null;
    $("signin").hidden = true;
    this.#onSignedIn(signedIn);
  }

  #open(form) {
    $("desk").hidden = true;
    $("signin").hidden = false;
    for (const id of ["signin-form", "password-form"]) $(id).hidden = id !== form;
  }

  async #submit(event, run) {
    event.preventDefault();
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#say("");
    try {
      await run();
    } catch (error) {
      this.#say(error.message);
      [...event.target.querySelectorAll("input[type=password]")].find((box) => box.checkVisibility())?.focus();
    } finally {
      this.#isBusy = false;
    }
  }

  #say(problem) {
    $("signin-problem").textContent = problem;
    $("signin-problem").hidden = problem === "";
  }
}
