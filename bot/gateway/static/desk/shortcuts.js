/** What each key does. */

const $ = (id) => document.getElementById(id);

/** Groups of {key, about, run} for keys.js: `desk` has isIn(), open (the conversation), actions(), lists, reply, showPanel() and help(). */
export function shortcutsFor({ isIn, open, actions, lists, reply, showPanel, help }) {
  const inConsole = (run) => () => isIn() && !$("console").hidden && (run(), true);
  const onOpen = (run) => () => Boolean(open.detail && !$("console").hidden) && run(open.row);
  const act = (...ids) => onOpen((row) => ids.some((id) => actions().runIfPossible(id, row)));
  return [
    ["Moving", [
      { key: "j", also: "ArrowDown", about: "Next conversation", run: inConsole(() => lists.move(1)) },
      { key: "k", also: "ArrowUp", about: "Previous conversation", run: inConsole(() => lists.move(-1)) },
      { key: "1", about: "Mine", run: inConsole(() => lists.show("mine")) },
      { key: "2", about: "Queue", run: inConsole(() => lists.show("queue")) },
      { key: "3", about: "Call-backs", run: inConsole(() => lists.show("callback")) },
      { key: "4", about: "With the assistant", run: inConsole(() => lists.show("bot")) },
      { key: "/", about: "Search", run: inConsole(() => lists.show("search")) },
      { key: "u", about: "The customer's column", run: inConsole(() => showPanel()) },
      { key: "?", about: "This list", run: () => isIn() && (help(), true) },
    ]],
    ["In a conversation", [
      { key: "c", about: "Claim, accept, take over", run: act("claim", "takeover") },
      { key: "p", about: "Pass an offer", run: act("pass") },
      { key: "r", about: "Write a reply", run: onOpen(() => (reply.choose("reply"), true)) },
      { key: "n", about: "Write a note", run: onOpen(() => (reply.choose("note"), true)) },
      { key: "a", about: "Attach a picture or a file", run: onOpen(() => reply.attachments.choose()) },
      { key: "e", about: "Resolve", run: act("resolve") },
      { key: "t", about: "Transfer", run: act("transfer") },
      { key: "b", about: "Back to the bot", run: act("return") },
      { key: "s", about: "Snooze", run: act("snooze") },
      { key: "l", about: "Labels", run: act("label") },
    ]],
  ];
}
