// What is between the quotes of a string of several lines: a regular expression can't
// say that it ends before three quotes. The lexer of imgc says where that is.

#include "tree_sitter/parser.h"

enum Token { CONTENT, END };

void *tree_sitter_img_external_scanner_create(void) { return NULL; }
void tree_sitter_img_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_img_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload;
  (void)buffer;
  return 0;
}
void tree_sitter_img_external_scanner_deserialize(void *payload, const char *buffer,
                                                  unsigned length) {
  (void)payload;
  (void)buffer;
  (void)length;
}

bool tree_sitter_img_external_scanner_scan(void *payload, TSLexer *lexer,
                                           const bool *valid) {
  (void)payload;
  // Both are valid where a parser looks for its feet after a mistake, too: there the
  // text may be anything, and is left to the rules.
  if (!valid[CONTENT] || !valid[END]) {
    return false;
  }
  bool any = false;
  for (;;) {
    lexer->mark_end(lexer);
    if (lexer->eof(lexer)) {
      break;
    }
    if (lexer->lookahead == '"') {
      unsigned quotes = 0;
      while (quotes < 3 && lexer->lookahead == '"') {
        lexer->advance(lexer, false);
        quotes++;
      }
      if (quotes == 3) {
        if (any) {
          break;
        }
        lexer->mark_end(lexer);
        lexer->result_symbol = END;
        return true;
      }
    } else if (lexer->lookahead == '\\') {
      break;
    } else if (lexer->lookahead == '$') {
      lexer->advance(lexer, false);
      if (lexer->lookahead == '{') {
        break;
      }
    } else {
      lexer->advance(lexer, false);
    }
    any = true;
  }
  lexer->result_symbol = CONTENT;
  return any;
}
