/** What each key does. */

const $ = (id) => document.getElementById(id);

/**
 * Groups of {key, about, run, waits} for keys.js: `desk` has isIn(), open (the conversation), actions(), lists, reply, showPanel()
 * and help(). What waits is done once it is clear that nobody writes a word; what a customer is told of needs Shift as well.
 */
export function shortcutsFor({ isIn, open, actions, lists, reply, showPanel, help }) {
  const inConsole = (run) => () => isIn() && !$("console").hidden && (run(), true);
  const onOpen = (run) => () => Boolean(open.detail && !$("console").hidden) && run(open.row);
  const act = (...ids) => {
    const isFor = (row) => ids.some((id) => actions().can(id, row));
    return {
      waits: true,
      // For the conversation on which the key was pressed, if that is still the one.
      run: onOpen((row) => isFor(row) && (() => open.isOpen(row.id) && ids.some((id) => actions().runIfPossible(id, open.row)))),
    };
  };
  return [
    ["Moving", [
      { key: "j", also: "ArrowDown", about: "Next conversation", moves: true, run: inConsole(() => lists.move(1)) },
      { key: "k", also: "ArrowUp", about: "Previous conversation", moves: true, run: inConsole(() => lists.move(-1)) },
      { key: "1", about: "Mine", run: inConsole(() => lists.show("mine")) },
      { key: "2", about: "Queue", run: inConsole(() => lists.show("queue")) },
      { key: "3", about: "Call-backs", run: inConsole(() => lists.show("callback")) },
      { key: "4", about: "With the assistant", run: inConsole(() => lists.show("bot")) },
      { key: "/", about: "Search", run: inConsole(() => lists.show("search")) },
      { key: "u", about: "The customer's column", run: inConsole(() => showPanel()) },
      { key: "?", about: "This list", run: () => isIn() && (help(), true) },
    ]],
    ["In a conversation", [
      { key: "c", about: "Claim, accept, take over", ...act("claim", "takeover") },
      { key: "Shift+P", about: "Pass an offer", ...act("pass") },
      { key: "r", about: "Write a reply", run: onOpen(() => (reply.choose("reply"), true)) },
      { key: "n", about: "Write a note", run: onOpen(() => (reply.choose("note"), true)) },
      { key: "a", about: "Attach a picture or a file", waits: true, run: onOpen((row) => () => open.isOpen(row.id) && reply.attachments.choose()) },
      { key: "Shift+E", about: "Resolve", ...act("resolve") },
      { key: "t", about: "Transfer", ...act("transfer") },
      { key: "Shift+B", about: "Back to the bot", ...act("return") },
      { key: "s", about: "Snooze", ...act("snooze") },
      { key: "l", about: "Labels", ...act("label") },
    ]],
  ];
}
