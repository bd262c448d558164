/* Ranks and shows what Sphinx's search finds. searchtexts.js, a script and so readable from the file system too, brings the words of
   each page by sections, the glossary, and what the book does not treat (src/companion/publish/site/search_texts.py). Which pages hold
   all words is still asked of Sphinx's index, which knows the code as well; then definitions come first, words in titles, headings and
   keywords weigh more than words in the text, the words side by side more than apart, and each page is shown once. */
(function () {
  "use strict";

  const EXCERPT = 240; // characters, about
  const LEAST = 100;
  const WORD = /[\p{Letter}\p{Number}_]+/gu;
  const texts = new Promise((resolve) => {
    window.companionTexts = resolve; // searchtexts.js calls it
    const script = document.createElement("script");
    script.src = "searchtexts.js";
    script.onerror = () => resolve({ pages: [], terms: [], absent: [] });
    document.head.append(script);
  }).then(prepared);

  // ------------------------------------------------------------------------------------------------------------- words

  const stemmer = new Stemmer();
  const known = new Map();
  function stem(word) {
    if (!known.has(word)) known.set(word, stemmer.stemWord(word));
    return known.get(word);
  }
  const split = (text) => splitQuery(text.toLowerCase());
  const singular = (word) => (word.length > 3 ? word.replace(/(?<=[^s])s$/, "") : word);
  const alike = (a, b) => singular(a) === singular(b);

  // The words of a query: without those that Sphinx leaves out, unless nothing else is left.
  function asked(query) {
    const all = split(query);
    const kept = all.filter((word) => !stopwords.includes(word) && !/^(what|how|why|is|does|do|a|an)$/.test(word));
    return kept.length ? kept : all;
  }

  // How well a list of words answers a word: 1 for each time that it stands there, less for another form of it.
  const times = (words, wanted) =>
    words.reduce((sum, word) => sum + (alike(word, wanted) ? 1 : stem(word) === stem(wanted) ? 0.3 : 0), 0);
  const near = (words, wanted) =>
    words.reduce((sum, _, at) => sum + wanted.every((word, i) => words[at + i] && stem(words[at + i]) === stem(word)), 0);
  const same = (words, wanted) =>
    words.length === wanted.length && words.every((word, i) => alike(word, wanted[i]) || stem(word) === stem(wanted[i]));

  function prepared({ pages, terms, absent }) {
    for (const page of pages) {
      page.title = page.sections[0][1];
      page.names = page.keywords.map(split);
      page.parts = page.sections.map(([anchor, heading, text]) => ({ anchor, heading, text, head: split(heading), words: split(text) }));
    }
    for (const term of terms) term.names = term.forms.map(split);
    for (const row of absent) row.names = row.words.map(split);
    return { pages, terms, absent };
  }

  // ----------------------------------------------------------------------------------------------------------- ranking

  // What a query finds: definitions, rows of what the book does not treat, pages with their best section, the best first.
  async function find(query) {
    const { pages, terms, absent } = await texts;
    const words = asked(query);
    if (!words.length) return { words, terms: [], absent: [], pages: [], some: false };
    const missing = absent.filter((row) => row.names.some((name) => same(name, words)));
    let defined = terms.filter((term) => term.names.some((name) => same(name, words)));
    const exact = defined.length > 0;
    if (!exact && !missing.length) defined = terms.filter((term) => near(split(term.term), words)).slice(0, 2);
    const byCode = new Set(Search.performTermsSearch(new Set(words.map(stem)), new Set()).map((result) => result[0] + ".html"));
    const scored = pages
      .filter((page) => page.page !== "book/glossary.html" || !defined.length)
      .map((page) => scores(page, words, exact ? defined : []));
    const rare = words.map((_, i) => Math.log((pages.length + 1) / (scored.filter((found) => found.each[i]).length + 0.5)) + 0.2);
    for (const found of scored) found.score = found.each.reduce((sum, n, i) => sum + n * rare[i], found.extra);
    // Another form of a word ("came" for CAM) counts only where nobody has the word itself.
    const whole = (found) => found.explains || found.each.every((n) => n > 0);
    let best = scored.filter((found) => found.explains || (whole(found) && found.own.every(Boolean)));
    if (!best.length && !missing.length) best = scored.filter(whole);
    const inCode = scored.filter((found) => !best.includes(found) && byCode.has(found.page.page) && !missing.length && !whole(found));
    const some = !best.length && !inCode.length && !defined.length && !missing.length;
    if (some) best = scored.filter((found) => found.each.some((n) => n > 0)).slice(0, 10);
    const order = (a, b) => b.score - a.score;
    return { words, terms: defined, absent: missing, pages: [...best.sort(order), ...inCode.sort(order)], some };
  }

  function scores(page, words, defined) {
    const parts = page.parts.map((part) => {
      const text = words.map((word) => times(part.words, word));
      const head = words.map((word) => Math.min(1, times(part.head, word)));
      const side = words.length > 1 ? Math.min(3, near(part.words, words)) + 4 * near(part.head, words) : 0;
      return { part, text, head, worth: text.reduce((sum, n) => sum + n / (n + 2), 0) + 2 * head.reduce((a, b) => a + b, 0) + side };
    });
    const title = parts[0].head;
    const each = words.map((word, i) => {
      const text = parts.reduce((sum, found) => sum + found.text[i], 0);
      const head = Math.max(0, ...parts.slice(1).map((found) => found.head[i]));
      return (4 * text) / (text + 4) + 4 * head + 8 * title[i] + 4 * Math.min(1, page.names.reduce((n, name) => n + times(name, word), 0));
    });
    const own = words.map((word) => parts.some(({ part }) => [...part.words, ...part.head].some((w) => alike(w, word))) || page.names.flat().some((w) => alike(w, word)));
    let extra = page.chapter ? 2 : 0;
    if (words.length > 1) {
      extra += 8 * near(page.parts[0].head, words) + Math.min(4, parts.slice(1).reduce((n, { part }) => n + 4 * near(part.head, words), 0));
      extra += Math.min(4, parts.reduce((n, { part }) => n + near(part.words, words), 0));
    }
    if (page.names.some((name) => same(name, words))) extra += 12;
    let explains = false; // the glossary says that the word is explained here
    let best = parts.reduce((a, b) => (b.worth > a.worth ? b : a)).part;
    for (const { href } of defined) {
      const [address, anchor] = href.split("#");
      if (address !== page.page) continue;
      explains = true;
      extra += 25;
      best = page.parts.find((part) => part.anchor && part.anchor === anchor) ?? best;
    }
    return { page, each, own, extra, best, explains };
  }

  // ----------------------------------------------------------------------------------------------------------- showing

  function made(name, words, attributes = {}) {
    const element = Object.assign(document.createElement(name), attributes);
    element.append(words ?? "");
    return element;
  }

  // The text around the first place with most of the words, from the beginning of a sentence, with the words marked: at least LEAST
  // characters, where this section and those after it, or before it, have them. A text's lines are paragraphs and rows of tables.
  function excerpt(texts, words) {
    const found = texts.flatMap((text, i) => text.split(/(?<=[.!?]["”)]*)\s|\n/).map((sentence) => ({ sentence, i })));
    const worth = found.map(({ sentence, i }) => (i ? 0 : words.filter((word) => times(split(sentence), word)).length));
    let first = Math.max(0, worth.indexOf(Math.max(0, ...worth)));
    let last = first;
    const joined = () =>
      found.slice(first, last + 1).reduce((all, { sentence }) => all + (!all ? "" : /[.!?:;,]["”)]*$/.test(all) ? " " : " · ") + sentence, "");
    while (last + 1 < found.length && (joined().length <= LEAST || (!found[last + 1].i && joined().length + found[last + 1].sentence.length <= EXCERPT))) last++;
    while (first && joined().length <= LEAST) first--;
    let shown = joined();
    const hits = (piece) => piece && words.some((word) => alike(piece.toLowerCase(), word) || stem(piece.toLowerCase()) === stem(word));
    if (shown.length > 1.5 * EXCERPT) {
      const place = [...shown.matchAll(WORD)].find(([piece]) => hits(piece))?.index ?? 0;
      if (place > EXCERPT - 40) shown = shown.slice(place - LEAST).replace(/^\S*\s+/, "… "); // a long row, with the word late in it
      if (shown.length > 1.5 * EXCERPT) shown = shown.slice(0, EXCERPT).replace(/\s+\S*$/, " …");
    }
    const paragraph = made("p", "", { className: "search-excerpt" });
    for (const piece of shown.trim().split(/([\p{Letter}\p{Number}_]+)/u)) paragraph.append(hits(piece) ? made("mark", piece) : piece);
    return paragraph;
  }

  function definition(term) {
    const item = made("li", "", { className: "search-definition" });
    const text = made("p", made("a", term.term, { href: term.entry }));
    text.append(` (glossary): ${term.meaning} `);
    if (term.href) text.append(made("a", `Explained in ${term.text}`, { href: term.href }));
    item.append(text);
    return item;
  }

  function entry({ page, best }, words) {
    const item = document.createElement("li");
    item.append(made("a", page.title, { href: page.page }));
    if (best.anchor) item.append(" › ", made("a", best.heading, { href: `${page.page}#${best.anchor}` }));
    const holds = (part) => words.some((word) => times(part.words, word));
    const named = words.some((word) => page.names.flat().some((name) => alike(name, word)));
    const part = [best, ...page.parts].find(holds) ?? (named ? page.parts.find(({ text }) => text) : null);
    if (part) item.append(excerpt(page.parts.slice(page.parts.indexOf(part)).map(({ text }) => text).filter(Boolean), words));
    else item.append(made("p", "In the code, a table or a list of this page.", { className: "search-excerpt" }));
    return item;
  }

  function counted(found) {
    const pages = found.pages.length === 1 ? "1 page" : `${found.pages.length} pages`;
    const definitions = found.terms.length === 1 ? "1 definition" : `${found.terms.length} definitions`;
    if (found.some && !found.pages.length) return "Nothing found. Try a shorter word, or look into the glossary.";
    if (found.some) return `No page has all of these words; ${pages} with some of them:`;
    if (!found.pages.length) return found.terms.length ? `${definitions} found.` : "";
    return found.terms.length ? `${definitions} and ${pages} found.` : `${pages} found.`;
  }

  async function show(query) {
    const found = await find(query);
    Search._parseQuery(query); // remembers the words that the page then marks
    Search.stopPulse();
    Search.title.textContent = "Search results";
    Search.status.setAttribute("role", "status");
    for (const row of found.absent) {
      const note = made("p", `“${query.trim()}” is not treated in this book. ${row.says} `, { className: "search-absent" });
      note.append("Nearest to it: ", made("a", row.title, { href: row.href }), ".");
      Search.output.before(note);
    }
    Search.output.append(...found.terms.map(definition), ...found.pages.map((page) => entry(page, found.words)));
    Search.status.textContent = counted(found);
  }

  Search.query = show;
  window.companionSearch = find;
})();
