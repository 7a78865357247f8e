// The list of countries beside a phone number. `src/widgets/form.rs` says which there are.

/** Puts the list before an input, if there is a choice: `rows` are regions and calling codes, `UA380 PL48`. */
export const countries = (input, label, chosen, rows, language) => {
  rows = rows.split(" ");
  if (!rows[1]) return;
  let names, compare;
  try {
    names = new Intl.DisplayNames(language, { type: "region" });
    // Alphabets have their own order in each language.
    ({ compare } = new Intl.Collator(language));
  } catch {}
  const list = document.createElement("select");
  list.className = "es-country";
  list.setAttribute("aria-label", label);
  list.setAttribute("data-es-country-of", input.name);
  const add = (region, text) => {
    const option = document.createElement("option");
    option.value = region;
    option.textContent = text;
    option.defaultSelected = region == chosen;
    list.append(option);
  };
  if (!chosen) add("", "+");
  rows = rows.map((row) => {
    const region = row.slice(0, 2);
    // The region is behind the name, so that both are sorted at once.
    return `${names ? names.of(region) : region} +${row.slice(2)}\t${region}`;
  });
  for (const row of rows.sort(compare)) {
    const [text, region] = row.split("\t");
    add(region, text);
  }
  // A label is that of the first control in it.
  (input.closest("label") || input).before(list);
};
