// The component as shops write it, and what must not compile.
import { EsForm } from "../../www/react.js";

<EsForm form="news" />;
<EsForm form="news" lang="uk" className="letters" style={{ display: "block", minHeight: 300 }}>
  Our letters.
</EsForm>;
<EsForm form="news" onAction={({ action, form }) => action == "FormFinish" && form.toUpperCase()} />;

// @ts-expect-error: which form?
<EsForm lang="uk" />;
// @ts-expect-error: there is no such action
<EsForm form="news" onAction={({ action }) => action == "FormEnd"} />;
