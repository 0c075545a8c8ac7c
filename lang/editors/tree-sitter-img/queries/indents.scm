[(record) (list) (parameters) (match) (let)] @indent
["}" "]" "in"] @outdent
