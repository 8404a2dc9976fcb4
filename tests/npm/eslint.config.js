// What the scripts of the browser interface must keep to, beside their types.

import js from "@eslint/js";
import globals from "globals";

const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTML", "setHTMLUnsafe", "createContextualFragment"];
const message = "Text becomes text nodes, never markup: make elements with h() of common/dom.js.";

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" },
    rules: {
      eqeqeq: "error",
      "max-len": ["error", { code: 120 }],
      "no-duplicate-imports": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": [
        "error",
        ...MARKUP.map((property) => ({ property, message })),
        ...["write", "writeln"].map((property) => ({ object: "document", property, message })),
      ],
      "no-restricted-syntax": [
        "error",
        { selector: `Literal[value=/^(${MARKUP.join("|")})$/]`, message },
        { selector: `ObjectExpression > Property[key.name=/^(${MARKUP.join("|")})$/]`, message },
        { selector: "CallExpression[callee.property.name='setAttribute'] > Literal[value=/^on/]", message },
      ],
      "no-script-url": "error",
      "no-shadow-restricted-names": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
