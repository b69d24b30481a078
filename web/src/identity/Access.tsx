import { may } from "../shell/session";
import { Inbox } from "./Inbox";
import { Mine } from "./Mine";
import "./identity.css";

/** What waits for a second person, and where somebody is signed in. */
export default function Access() {
  return (
    <div className="access-screen">
      {may("approvals:read") && <Inbox />}
      <Mine />
    </div>
  );
}
