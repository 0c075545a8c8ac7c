; Names. What comes later is stronger.
(identifier) @variable
(binding_parameter) @variable.parameter
(typed_parameter (identifier) @variable.parameter)
(parameter_field name: (field_name) @variable.parameter)
(payload_field (field_name) @variable.parameter)
(field_name) @variable.other.member
(binding name: (identifier) @variable)
(binding name: (identifier) @function value: (function))
(field name: (field_name) @function value: (function))
(application function: (identifier) @function)
(application function: (select field: (field_name) @function))
(tag) @constructor
(tag_pattern tag: (type_name) @constructor)
(tag_type tag: (type_name) @constructor)

; Types
(type_name) @type
(tag_type tag: (type_name) @constructor)
(type_variable) @type.parameter
(type_declaration name: (type_name) @type)
(type_declaration parameter: (identifier) @type.parameter)
(tag (type_name) @constructor)
(tag_pattern (type_name) @constructor)

; Literals
(integer) @constant.numeric
(boolean) @constant.builtin.boolean
(string) @string
(text) @string
(escape) @constant.character.escape
(path) @string.special.path
(module) @namespace
(interpolation "${" @punctuation.special "}" @punctuation.special)

; Words
["if" "then" "else" "match"] @keyword.control.conditional
["let" "in" "type"] @keyword
"assert" @keyword.control.exception
"import" @keyword.control.import

["|>" "||" "&&" "==" "!=" "<" "<=" ">" ">=" "//" "++" "+" "-" "*" "!" "=" "=>" "->" "?" "|"] @operator
(rest) @punctuation.special
["..." "." ";" "," ":"] @punctuation.delimiter
["{" "}" "[" "]" "(" ")"] @punctuation.bracket

(comment) @comment
((comment) @comment.block.documentation (#match? @comment.block.documentation "^##"))
