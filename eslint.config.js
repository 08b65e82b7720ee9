import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import noUnsanitized from 'eslint-plugin-no-unsanitized';
import globals from 'globals';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/node_modules/', '.venv/', 'build/', 'data/', 'extension/vendor/'] },
  js.configs.recommended,
  {
    files: ['extension/**/*.js', 'server/web/**/*.js'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { jsdoc, 'no-unsanitized': noUnsanitized },
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { project: './jsconfig.json' },
    },
    rules: {
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 60],
      complexity: ['error', 10],
      'no-restricted-globals': ['error', 'chrome', 'browser'],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name=globalThis][property.name=/^(chrome|browser)$/]',
          message: 'Import `ext` from lib/browser.js.',
        },
      ],
      'no-unsanitized/method': 'error',
      'no-unsanitized/property': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { ignoreIIFE: true }],
      'jsdoc/require-jsdoc': ['error', { publicOnly: true }],
      'jsdoc/require-param-description': 'error',
      'jsdoc/require-returns-description': 'error',
      'jsdoc/require-file-overview': 'off',
    },
  },
  {
    files: ['extension/lib/browser.js', 'extension/content/{boot,watch,scroll/boot}.js'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-syntax': 'off',
      'no-unsanitized/method': 'off',
    },
  },
  {
    files: ['tests/{extension,web}/**/*.js', 'eslint.config.js'],
    languageOptions: { globals: globals.node },
  },
);
