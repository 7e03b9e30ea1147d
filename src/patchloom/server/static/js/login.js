/** What asks for the token, in the person's language. */

import { loadTexts } from "./texts.js";

await loadTexts();
document.getElementById("wrong").hidden = !new URLSearchParams(location.search).has("token");
history.replaceState(null, "", location.pathname); // no token stays in the address
