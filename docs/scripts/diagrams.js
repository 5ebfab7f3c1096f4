// Draws the Mermaid diagrams of a page, as GitHub does. The library is fetched only by pages that have one, in the
// version whose hash is here; without it (no network, no script) the diagram stays readable as text.
const blocks = document.querySelectorAll("code.language-mermaid");

if (blocks.length) {
  const script = document.createElement("script");
  script.src = "https://cdn.jsdelivr.net/npm/mermaid@11.4.1/dist/mermaid.min.js";
  script.integrity = "sha384-rbtjAdnIQE/aQJGEgXrVUlMibdfTSa4PQju4HDhN3sR2PmaKFzhEafuePsl9H/9I";
  script.crossOrigin = "anonymous";
  script.onload = () => {
    for (const block of blocks) {
      const figure = document.createElement("div");
      figure.textContent = block.textContent;
      block.parentElement.replaceWith(figure);
      figure.className = "mermaid";
    }
    mermaid.initialize({ startOnLoad: false });
    mermaid.run();
  };
  document.head.append(script);
}
