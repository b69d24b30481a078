/** Two texts, line by line: what stays, what goes, what comes. Pure. */

export interface DiffLine {
  kind: "same" | "gone" | "new";
  text: string;
  /** Its line in the old and in the new text, from 1; 0 where it is not there. */
  before: number;
  after: number;
}

/** The fewest lines that go and come (longest common subsequence, Hunt and Szymanski 1977, as a table: tiers are short). */
export function diff(before: string, after: string): DiffLine[] {
  const [old, now] = [before.replace(/\n$/, "").split("\n"), after.replace(/\n$/, "").split("\n")];
  const wide = now.length + 1;
  const most = new Uint32Array((old.length + 1) * wide);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      most[i * wide + j] = old[i] === now[j] ? (most[(i + 1) * wide + j + 1] as number) + 1 : Math.max(most[(i + 1) * wide + j] as number, most[i * wide + j + 1] as number);
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) found.push({ kind: "same", text: now[j++] as string, before: ++i, after: j });
    else if (j >= now.length || (i < old.length && (most[(i + 1) * wide + j] as number) >= (most[i * wide + j + 1] as number))) found.push({ kind: "gone", text: old[i++] as string, before: i, after: 0 });
    else found.push({ kind: "new", text: now[j++] as string, before: 0, after: j });
  }
  return found;
}

/** What is around a change, so that the rest need not be read; null stands for what was left out. */
export function near(lines: readonly DiffLine[], around = 2): (DiffLine | null)[] {
  const kept = lines.map((_, nth) => lines.slice(Math.max(nth - around, 0), nth + around + 1).some(({ kind }) => kind !== "same"));
  return lines.flatMap((line, nth) => (kept[nth] ? [line] : nth === 0 || kept[nth - 1] ? [null] : []));
}
