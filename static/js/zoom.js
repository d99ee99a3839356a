// A large map, looked at closely: the viewer of OpenSeadragon with buttons of our own.

const frame = document.querySelector("#viewer");
const { tiles, width, height, tile, top, said } = frame.dataset;
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
frame.replaceChildren();
// It would add a sheet of its own, which our policy forbids; where one stands it does not.
const sheet = document.createElementNS("none", "style"); // a sheet by its name alone
sheet.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(sheet);
const viewer = OpenSeadragon({
  element: frame,
  drawer: "canvas",
  showNavigationControl: false,
  animationTime: still ? 0 : 0.4,
  maxZoomPixelRatio: 8,
  tileSources: {
    width: +width,
    height: +height,
    tileSize: +tile,
    maxLevel: +top,
    getTileUrl: (level, x, y) => `${tiles}${level}/${x}_${y}.webp`,
  },
});
viewer.canvas.ariaLabel = said;
viewer.canvas.role = "img";
const { viewport, drawer } = viewer;
// Pixels stay sharp when they are enlarged; what is made smaller keeps its thin lines.
viewer.addHandler("zoom", ({ zoom }) => {
  drawer.setImageSmoothingEnabled(viewport.viewportToImageZoom(zoom) < 1);
});
const acts = document.querySelector("#viewer-acts");
acts.hidden = false;
acts.onclick = ({ target }) => {
  if (target.value) viewport.zoomBy(+target.value).applyConstraints();
  else if (target.value === "") viewport.goHome();
};
