/** Assessments in lines: the trader's own, or everybody's. */
import type { ReactNode } from "react";
import { at } from "../access/parts";
import { Num } from "../kit/Num";
import { type Column, Table } from "../kit/Table";
import { address, go } from "../shell/routes";
import { isOver, stateOf } from "./gauges";
import { type AssessmentLine, isAt } from "./standing";

const opened = (each: AssessmentLine): string => address("prop", ["now", each.assessment_id]);

export function State({ found }: { found: AssessmentLine }) {
  const { shape, word } = stateOf(found.state);
  return <><span className={`status ${shape}`}><span>{word}</span></span>{found.frozen && !isOver(found.state) && <small>❚❚ frozen: {found.frozen}</small>}{found.reason && <small>{found.reason.replaceAll("_", " ")}</small>}</>;
}

export function Lines({ items, empty, isAll }: { items: readonly AssessmentLine[]; empty: ReactNode; isAll?: boolean }) {
  const whose: Column<AssessmentLine>[] = isAll ? [{ key: "user", title: "Trader", cell: (each) => each.user, sort: (each) => each.user }] : [];
  return (
    <Table<AssessmentLine> label="Assessments" rows={items} rowKey={(each) => each.assessment_id} onOpen={(each) => go(opened(each))} empty={empty} columns={[
      { key: "tier", title: "Tier", cell: (each) => <><a href={opened(each)}>{each.tier}</a><small>version {each.version}</small></>, sort: (each) => each.tier },
      ...whose,
      { key: "state", title: "State", cell: (each) => <State found={each} />, sort: (each) => each.state },
      { key: "stage", title: "Stage", cell: (each) => each.stage_name || <span className="dim">–</span> },
      { key: "size", title: "Size", num: true, cell: (each) => <Num value={each.size} />, sort: (each) => Number(each.size) },
      { key: "began", title: "Began", num: true, cell: (each) => (isAt(each.began_at) ? at(each.began_at) : <span className="dim">not yet</span>), sort: (each) => BigInt(each.began_at || 0) },
      { key: "ended", title: "Ended", num: true, cell: (each) => (isAt(each.ended_at) ? at(each.ended_at) : <span className="dim">–</span>), sort: (each) => BigInt(each.ended_at || 0) },
      { key: "id", title: "Number", cell: (each) => <span className="mono">{each.assessment_id}</span> },
    ]} />
  );
}
