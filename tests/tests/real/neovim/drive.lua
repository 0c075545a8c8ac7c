-- Does in Neovim what a person does, and writes what came of it to $RESULT, as JSON. It
-- asserts nothing: that is the test's.

local result = {}

local function wait(what, ready)
  local done = vim.wait(60000, ready, 50)
  if not done then
    error("waited in vain for " .. what)
  end
end

local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, 60000)
  for _, answer in pairs(answers or {}) do
    if answer.error then
      error(method .. ": " .. vim.inspect(answer.error))
    end
    return answer.result
  end
  error("nobody answers " .. method)
end

local function place_of(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
    local column = line:find(text, 1, true)
    if column then
      vim.api.nvim_win_set_cursor(0, { number, column - 1 })
      return
    end
  end
  error("the buffer has no " .. text)
end

local function here()
  return vim.lsp.util.make_position_params(0, "utf-16")
end

local function text_of(name)
  local buffer = vim.fn.bufnr(name)
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), "\n")
end

local function drive()
  vim.cmd("edit app.img")
  result.filetype = vim.bo.filetype
  local buffer = vim.api.nvim_get_current_buf()
  local function diagnostics()
    return vim.diagnostic.get(buffer)
  end

  -- Open: a mistake is shown.
  wait("a diagnostic", function()
    return #diagnostics() > 0
  end)
  result.diagnostics = {}
  for _, found in ipairs(diagnostics()) do
    table.insert(result.diagnostics, { line = found.lnum, code = found.code, message = found.message })
  end

  -- Mend it by typing.
  place_of("greetin;")
  vim.cmd("normal! ea" .. "g")
  result.mended = vim.api.nvim_get_current_line()
  wait("no diagnostic", function()
    return #diagnostics() == 0
  end)

  -- Packages are offered.
  place_of('"hel"')
  vim.api.nvim_win_set_cursor(0, { vim.fn.line("."), vim.fn.col(".") + 3 })
  local items = ask("textDocument/completion", here())
  result.offered = {}
  for _, item in ipairs(items.items or items) do
    table.insert(result.offered, item.label)
  end

  -- A type is shown.
  place_of("greeting =")
  local hover = ask("textDocument/hover", here())
  result.hover = hover.contents.value

  -- A field is renamed in two files.
  place_of("welcome")
  local params = here()
  params.newName = "salute"
  vim.lsp.util.apply_workspace_edit(ask("textDocument/rename", params), "utf-16")
  result.renamed = { app = text_of("app.img"), lib = text_of("lib.img") }

  -- The file is formatted.
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 60000 })
  else
    vim.lsp.buf.formatting_sync(nil, 60000)
  end
  result.formatted = text_of("app.img")
  vim.cmd([[silent %s/"hel"/"hello"/]])
  vim.cmd("silent wall")

  -- What its lens offers is done, and the lens says what came of it.
  local function lens()
    local found = ask("textDocument/codeLens", { textDocument = vim.lsp.util.make_text_document_params() })
    return found[1].command
  end
  result.lens = lens().title
  local window = vim.api.nvim_get_current_win()
  vim.lsp.commands["imgc.build"](lens(), {})
  vim.api.nvim_set_current_win(window)
  local terminal = vim.fn.bufnr("term://*")
  local done = vim.wait(60000, function()
    return lens().title ~= "build"
  end, 50)
  if not done then
    error("no size after: " .. table.concat(vim.api.nvim_buf_get_lines(terminal, 0, -1, true), "\n"))
  end
  result.built = lens().title
end

local well, problem = xpcall(drive, debug.traceback)
if not well then
  result.problem = problem
end
local file = assert(io.open(os.getenv("RESULT"), "w"))
file:write(vim.fn.json_encode(result))
file:close()
vim.cmd("qall!")
