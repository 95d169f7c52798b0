// What keyboards and screen readers need, and the theme leaves out.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");
for (const box of document.querySelectorAll("pre, .table-wrapper, .formula")) {
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0; // so that arrow keys scroll it
}
for (const summary of document.querySelectorAll("details.hide > summary")) summary.removeAttribute("aria-label"); // it has words
