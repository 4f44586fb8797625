/* SPDX-License-Identifier: MIT */
/* Parse errors in words. The same words stand in docs/html-errors.md, beside the paragraphs. */
#include "html/parse_error.h"

const char *cel__parse_error_text(enum cel__parse_error code)
{
    static const char *const texts[] = {
#define X(constant, text) text,
        CEL__PARSE_ERRORS(X) CEL__TREE_ERRORS(X)
#undef X
    };

    return code < CEL__PARSE_ERROR_COUNT ? texts[code] : "";
}

static const char *const meanings[CEL__PARSE_ERROR_COUNT] = {
    [CEL__ERROR_ABRUPT_CLOSING_OF_EMPTY_COMMENT] = "<!--> or <!--->",
    [CEL__ERROR_ABRUPT_DOCTYPE_PUBLIC_IDENTIFIER] = "> in a doctype's public identifier",
    [CEL__ERROR_ABRUPT_DOCTYPE_SYSTEM_IDENTIFIER] = "> in a doctype's system identifier",
    [CEL__ERROR_ABSENCE_OF_DIGITS] = "&#; or &#x;; it is text",
    [CEL__ERROR_CDATA_IN_HTML_CONTENT] = "<![CDATA[ outside of SVG and MathML; it is a comment",
    [CEL__ERROR_REFERENCE_OUTSIDE_UNICODE_RANGE] = "a number above 10FFFF; it becomes U+FFFD",
    [CEL__ERROR_CONTROL_CHARACTER_IN_INPUT_STREAM] = "a control character in the page",
    [CEL__ERROR_CONTROL_CHARACTER_REFERENCE] = "a reference to a control character",
    [CEL__ERROR_DUPLICATE_ATTRIBUTE] = "an attribute twice in a tag; the first counts",
    [CEL__ERROR_END_TAG_WITH_ATTRIBUTES] = "attributes in an end tag",
    [CEL__ERROR_END_TAG_WITH_TRAILING_SOLIDUS] = "</a/>",
    [CEL__ERROR_EOF_BEFORE_TAG_NAME] = "the page ends behind < or </",
    [CEL__ERROR_EOF_IN_CDATA] = "the page ends in a CDATA section",
    [CEL__ERROR_EOF_IN_COMMENT] = "the page ends in a comment",
    [CEL__ERROR_EOF_IN_DOCTYPE] = "the page ends in a doctype",
    [CEL__ERROR_EOF_IN_SCRIPT_HTML_COMMENT_LIKE_TEXT] =
        "the page ends in a script, behind a <!-- in it",
    [CEL__ERROR_EOF_IN_TAG] = "the page ends in a tag, which is passed over",
    [CEL__ERROR_INCORRECTLY_CLOSED_COMMENT] = "--!>",
    [CEL__ERROR_INCORRECTLY_OPENED_COMMENT] = "<! and what is neither a comment nor a doctype",
    [CEL__ERROR_INVALID_CHARACTER_SEQUENCE_AFTER_DOCTYPE_NAME] =
        "neither PUBLIC nor SYSTEM behind a doctype's name",
    [CEL__ERROR_INVALID_FIRST_CHARACTER_OF_TAG_NAME] = "< or </ before what begins no name",
    [CEL__ERROR_MISSING_ATTRIBUTE_VALUE] = "<a b=>",
    [CEL__ERROR_MISSING_DOCTYPE_NAME] = "<!DOCTYPE>",
    [CEL__ERROR_MISSING_DOCTYPE_PUBLIC_IDENTIFIER] = "PUBLIC, and none",
    [CEL__ERROR_MISSING_DOCTYPE_SYSTEM_IDENTIFIER] = "SYSTEM, and none",
    [CEL__ERROR_MISSING_END_TAG_NAME] = "</>; it is passed over",
    [CEL__ERROR_MISSING_QUOTE_BEFORE_PUBLIC] = "an identifier without quotation marks",
    [CEL__ERROR_MISSING_QUOTE_BEFORE_SYSTEM] = "an identifier without quotation marks",
    [CEL__ERROR_MISSING_SEMICOLON] = "&amp without its semicolon",
    [CEL__ERROR_MISSING_WHITESPACE_AFTER_PUBLIC] = "an identifier right behind PUBLIC",
    [CEL__ERROR_MISSING_WHITESPACE_AFTER_SYSTEM] = "an identifier right behind SYSTEM",
    [CEL__ERROR_MISSING_WHITESPACE_BEFORE_DOCTYPE_NAME] = "<!DOCTYPEhtml>",
    [CEL__ERROR_MISSING_WHITESPACE_BETWEEN_ATTRIBUTES] = "<a b=\"c\"d>",
    [CEL__ERROR_MISSING_WHITESPACE_BETWEEN_IDENTIFIERS] = "nothing between the two",
    [CEL__ERROR_NESTED_COMMENT] = "<!-- in a comment",
    [CEL__ERROR_NONCHARACTER_CHARACTER_REFERENCE] = "a reference to a noncharacter, as U+FFFF",
    [CEL__ERROR_NONCHARACTER_IN_INPUT_STREAM] = "a noncharacter in the page",
    [CEL__ERROR_NULL_CHARACTER_REFERENCE] = "&#0;; it becomes U+FFFD",
    [CEL__ERROR_SURROGATE_CHARACTER_REFERENCE] = "a reference to a surrogate; it becomes U+FFFD",
    [CEL__ERROR_SURROGATE_IN_INPUT_STREAM] = "a surrogate in the page",
    [CEL__ERROR_UNEXPECTED_CHARACTER_AFTER_SYSTEM] = "more behind a doctype's identifiers",
    [CEL__ERROR_UNEXPECTED_CHARACTER_IN_ATTRIBUTE_NAME] =
        "a quotation mark or < in an attribute's name",
    [CEL__ERROR_UNEXPECTED_CHARACTER_IN_UNQUOTED_VALUE] =
        "a quotation mark, <, = or a grave accent in a value without quotation marks",
    [CEL__ERROR_UNEXPECTED_EQUALS_SIGN] = "<a =b>",
    [CEL__ERROR_UNEXPECTED_NULL_CHARACTER] = "a NUL in the page",
    [CEL__ERROR_UNEXPECTED_QUESTION_MARK] = "<?; it is a comment",
    [CEL__ERROR_UNEXPECTED_SOLIDUS_IN_TAG] = "a / in a tag, and no > behind it",
    [CEL__ERROR_UNKNOWN_NAMED_CHARACTER_REFERENCE] = "&nosuch;; it is text",
    [CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_CHARS] =
        "text comes before any doctype; the page is read in quirks mode",
    [CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_START_TAG] =
        "a start tag comes before any doctype; quirks mode",
    [CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_END_TAG] =
        "an end tag comes before any doctype; quirks mode",
    [CEL__ERROR_EXPECTED_DOCTYPE_BUT_GOT_EOF] = "the page has no doctype, and ends",
    [CEL__ERROR_UNKNOWN_DOCTYPE] = "a doctype that is not <!DOCTYPE html>",
    [CEL__ERROR_UNEXPECTED_DOCTYPE] =
        "a doctype in another place than the beginning; it is passed over",
    [CEL__ERROR_NON_HTML_ROOT] = "a second <html>; its attributes are added to the first",
    [CEL__ERROR_TWO_HEADS] = "a second <head>; it is passed over",
    [CEL__ERROR_UNEXPECTED_END_TAG_BEFORE_HTML] =
        "an end tag where nothing is open yet; it is passed over",
    [CEL__ERROR_END_TAG_AFTER_IMPLIED_ROOT] = "an end tag before the head; it is passed over",
    [CEL__ERROR_OUT_OF_MY_HEAD] =
        "<title>, <meta>, <script> and their like between head and body; they go to the head",
    [CEL__ERROR_CHAR_IN_HEAD_NOSCRIPT] = "text in a <noscript> of the head, which ends it",
    [CEL__ERROR_UNEXPECTED_TAG_IN_HEAD_NOSCRIPT] =
        "a tag that does not belong into a <noscript> of the head",
    [CEL__ERROR_EOF_IN_HEAD_NOSCRIPT] = "the page ends in a <noscript> of the head",
    [CEL__ERROR_UNEXPECTED_START_TAG] = "<body> or <frameset> where a body is",
    [CEL__ERROR_START_TAG_IGNORED] =
        "a start tag that belongs elsewhere, as <td> outside of a table; it is passed over",
    [CEL__ERROR_START_TAG_IMPLIES_END_TAG] =
        "links, buttons or headings in their like: the one that is open ends first",
    [CEL__ERROR_START_TAG_TREATED_AS] = "<image>, which is read as <img>",
    [CEL__ERROR_UNEXPECTED_END_TAG] =
        "an end tag whose element is not open here, or, in SVG and MathML, not the innermost",
    [CEL__ERROR_END_TAG_TREATED_AS] = "</br>, which is read as <br>",
    [CEL__ERROR_END_TAG_TOO_EARLY] =
        "an end tag while other elements are open inside its element; they end with it",
    [CEL__ERROR_MISSING_END_TAG] =
        "this element is still open where the paragraph, item or ruby around it ends by itself",
    [CEL__ERROR_EXPECTED_ONE_END_TAG] = "</body> or </html> while elements are open",
    [CEL__ERROR_TRAILING_SOLIDUS] = "<div/>: the solidus says nothing, the element is open",
    [CEL__ERROR_FORMATTING_NOT_OPEN] =
        "the end tag of a formatting element that was closed already by what is around it",
    [CEL__ERROR_FORMATTING_NOT_CURRENT] =
        "<b><i></b>: formatting ends while others are open in it, and opens again for them",
    [CEL__ERROR_FORMATTING_NOT_IN_SCOPE] =
        "the end tag of formatting that is open only outside of the open table or select",
    [CEL__ERROR_INPUT_IN_SELECT] = "<input> in a <select>, which ends",
    [CEL__ERROR_SELECT_IN_SELECT] = "<select> in a <select>, which ends",
    [CEL__ERROR_START_TAG_IN_SELECT] =
        "<option>, <optgroup> or <hr> in an option that has something open",
    [CEL__ERROR_HTML_ELEMENT_IN_FOREIGN_CONTENT] = "a tag of HTML in SVG or MathML, which ends",
    [CEL__ERROR_NULL_IN_BODY] = "a NUL in the page's text; it is passed over",
    [CEL__ERROR_NULL_IN_TABLE_TEXT] = "a NUL in a table; it is passed over",
    [CEL__ERROR_NULL_IN_FOREIGN_CONTENT] = "a NUL in SVG or MathML; it becomes U+FFFD",
    [CEL__ERROR_FOSTER_PARENTING_CHARACTER] =
        "text in a table and in no cell; it goes before the table",
    [CEL__ERROR_FOSTER_PARENTING_START_TAG] =
        "a start tag in a table and in no cell; its element goes before the table",
    [CEL__ERROR_FOSTER_PARENTING_END_TAG] =
        "an end tag in a table and in no cell, of no part of a table",
    [CEL__ERROR_HIDDEN_INPUT_IN_TABLE] =
        "<input type=hidden> in a table and in no cell; it stays there",
    [CEL__ERROR_FORM_IN_TABLE] = "<form> in a table and in no cell; it holds nothing",
    [CEL__ERROR_CHARACTER_IN_COLGROUP] =
        "text in a <colgroup> that cannot end, as in a template; it is passed over",
    [CEL__ERROR_CELL_IN_TABLE_BODY] = "a cell without a row; the row is made",
    [CEL__ERROR_CELL_END_TAG] = "a cell ends while elements are open in it",
    [CEL__ERROR_END_TAG_IN_TABLE_BODY] = "an end tag that does not belong between rows",
    [CEL__ERROR_END_TAG_IN_TABLE_ROW] = "an end tag that does not belong between cells",
    [CEL__ERROR_CHAR_AFTER_BODY] = "text behind </body>; it goes into the body",
    [CEL__ERROR_START_TAG_AFTER_BODY] = "a start tag behind </body>; it goes into the body",
    [CEL__ERROR_END_TAG_AFTER_BODY] = "an end tag behind </body>",
    [CEL__ERROR_CHAR_IN_FRAMESET] = "text in a frameset; it is passed over",
    [CEL__ERROR_START_TAG_IN_FRAMESET] =
        "a start tag that does not belong into a frameset; it is passed over",
    [CEL__ERROR_END_TAG_IN_FRAMESET] =
        "an end tag that does not belong into a frameset; it is passed over",
    [CEL__ERROR_CHAR_AFTER_FRAMESET] = "text behind a frameset; it is passed over",
    [CEL__ERROR_START_TAG_AFTER_FRAMESET] = "a start tag behind a frameset; it is passed over",
    [CEL__ERROR_END_TAG_AFTER_FRAMESET] = "an end tag behind a frameset; it is passed over",
    [CEL__ERROR_EXPECTED_EOF_BUT_GOT_CHAR] = "text behind </html>",
    [CEL__ERROR_EXPECTED_EOF_BUT_GOT_START_TAG] = "a start tag behind </html>",
    [CEL__ERROR_EXPECTED_EOF_BUT_GOT_END_TAG] = "an end tag behind </html>",
    [CEL__ERROR_EXPECTED_CLOSING_TAG_BUT_GOT_EOF] =
        "the page ends, and this element, whose end tag may not be left out, is open",
    [CEL__ERROR_EXPECTED_NAMED_CLOSING_TAG_BUT_GOT_EOF] =
        "the page ends in a script, a style, a title or a textarea",
    [CEL__ERROR_EOF_IN_TABLE] = "the page ends in a table, and this element is open",
    [CEL__ERROR_EOF_IN_TEMPLATE] = "the page ends in a template",
    [CEL__ERROR_EOF_IN_FRAMESET] = "the page ends in a frameset",
};

const char *cel__parse_error_meaning(enum cel__parse_error code)
{
    return code < CEL__PARSE_ERROR_COUNT ? meanings[code] : "";
}
