// Search opened from the file system. A page of file:// may not fetch other pages, so the excerpts under the results would
// stay empty and the console would fill with errors. The texts of all pages lie in searchtexts.js, which a script tag may
// load; here `fetch` answers from them. Over http nothing changes and nothing more is loaded.
if (location.protocol === "file:") {
  const texts = new Promise((resolve) => {
    window.companionTexts = resolve; // searchtexts.js calls it
    const script = document.createElement("script");
    script.src = "searchtexts.js";
    script.onerror = () => resolve({}); // without the texts: results without excerpts
    document.head.append(script);
  });
  const root = new URL(".", location.href).href;
  window.fetch = (address) => {
    const name = new URL(address, location.href).href.replace(root, "").split("#")[0];
    return texts.then((pages) => ({ text: () => Promise.resolve(pages[name] ?? "") }));
  };
}
