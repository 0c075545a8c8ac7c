[(let) (record) (list) (parameters) (match) (text)] @fold
