/** The dispute pack of an assessment, handed to the browser. */
import { saveText64 } from "../access/saving";
import { api, ok } from "../client/api";

/** Throws `Problem`. */
export async function savePack(assessment_id: string): Promise<void> {
  const pack = await ok(api.GET("/api/assessments/{assessment_id}/pack", { params: { path: { assessment_id } } }));
  saveText64(pack.zip, pack.file_name, "application/zip");
}
