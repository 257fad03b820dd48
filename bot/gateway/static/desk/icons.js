/** The desk's pictures, drawn as lines in the colour of the text around them. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.500a2.2 2.2 0 0 0 4 0",
  bolt: "M13 3L5 13.500h6L10.5 21 19 10.500h-6z",
  clip: "M19 11.500l-7.3 7.300a4.6 4.6 0 0 1-6.500-6.500l7.900-7.900a3.1 3.1 0 0 1 4.400 4.400l-7.900 7.900a1.500 1.500 0 0 1-2.200-2.200l7-7",
  clock: "M12 7.500V12l3 2M12 3.500a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z",
  close: "M6 6l12 12M18 6L6 18",
  down: "M8 14V4.500h8.700l2.500 7.300v2.200h-6l.8 4.500-1.800 1.500zM8 4.500H4.500V14H8",
  file: "M7 3.500h7l4 4v13H7zM14 3.500v4h4",
  help: "M9.2 9.200a2.9 2.9 0 1 1 4.3 2.600c-1 .6-1.5 1.2-1.5 2.200M12 17.200v.1M12 3.500a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z",
  more: "M5.5 12h.1M12 12h.1M18.5 12h.1",
  mute: "M4.5 9.500v5h3.500l5 4v-13l-5 4zM17 9.500l4 5M21 9.500l-4 5",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.500c.6-4 3.6-6 7.5-6s6.9 2 7.5 6",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.3 15.3L20 20",
  shield: "M12 3.500l7 2.500v5.500c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6zM9 12l2.2 2.200L15.2 10",
  sound: "M4.5 9.500v5h3.500l5 4v-13l-5 4zM16.5 9a4.2 4.2 0 0 1 0 6M18.8 6.500a8 8 0 0 1 0 11",
  spark: "M12 4.500v3M12 16.500v3M4.5 12h3M16.5 12h3M6.7 6.700l2.1 2.100M15.2 15.200l2.1 2.100M6.7 17.300l2.1-2.100M15.2 8.800l2.1-2.1",
  up: "M8 10v9.500h8.700l2.500-7.300V10h-6l.8-4.500L12.200 4zM8 19.500H4.500V10H8",
};

/** A picture without words: whoever puts it into a button names the button. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
