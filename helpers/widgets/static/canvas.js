// What canvases share: the theme's colours where a widget stands, and drawing at the screen's own resolution.

function paperOf(root) {
  const { color, backgroundColor, fontFamily } = getComputedStyle(root);
  const [r, g, b] = backgroundColor.match(/[\d.]+/g).map(Number);
  return { ink: color, paper: backgroundColor, rgb: [r, g, b], dark: r + g + b < 384, font: fontFamily };
}

// A canvas cleared for drawing at the screen's own resolution.
function cleared(canvas, width, height) {
  const pixels = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * pixels);
  canvas.height = Math.round(height * pixels);
  const context = canvas.getContext("2d");
  context.scale(pixels, pixels);
  return context;
}

// Calls `redraw` when a node gets its size, comes back into sight, or the theme changes; returns what ends that.
function onLook(node, redraw) {
  const sizes = new ResizeObserver(redraw);
  sizes.observe(node);
  const sights = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && redraw());
  sights.observe(node);
  const themes = new MutationObserver(redraw);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  return () => [sizes, sights, themes].forEach((each) => each.disconnect());
}
