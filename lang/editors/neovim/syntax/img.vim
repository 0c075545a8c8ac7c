" What an editor colours before the server has said what each word is.
if exists("b:current_syntax")
  finish
endif

syntax match imgName "\<\l\k*\(-\a\k*\)*"
syntax match imgType "\<\u\k*\(-\a\k*\)*"
syntax keyword imgKeyword let in type
syntax keyword imgConditional if then else match assert
syntax keyword imgInclude import
syntax keyword imgBoolean true false
syntax match imgNumber "\<\d[0-9A-Za-z_]*\>"
syntax match imgPath "\.\.\?/[A-Za-z0-9_.+@~%/-]*"
syntax match imgModule "\<std\(/[A-Za-z_][A-Za-z0-9_-]*\)\+"
syntax match imgOperator "[-=!<>|&+*/?]\+"
syntax match imgEscape contained "\\\([ntr\"\\$]\|u{\x\{1,6}}\)"
syntax region imgHole contained matchgroup=imgDelimiter start="\${" end="}" contains=TOP
syntax region imgString start=+"+ skip=+\\.+ end=+"+ oneline contains=imgEscape,imgHole
syntax region imgString start=+"""+ skip=+\\.+ end=+"""+ contains=imgEscape,imgHole
syntax region imgBraces start="{" end="}" transparent fold contains=TOP
syntax match imgComment "#.*$" contains=@Spell
syntax match imgDoc "##.*$" contains=@Spell

highlight default link imgType Type
highlight default link imgKeyword Keyword
highlight default link imgConditional Conditional
highlight default link imgInclude Include
highlight default link imgBoolean Boolean
highlight default link imgNumber Number
highlight default link imgPath Special
highlight default link imgModule Special
highlight default link imgOperator Operator
highlight default link imgEscape SpecialChar
highlight default link imgDelimiter Delimiter
highlight default link imgString String
highlight default link imgComment Comment
highlight default link imgDoc SpecialComment

let b:current_syntax = "img"
