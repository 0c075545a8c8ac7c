-- The client of `imgc lsp`, for Neovim 0.7 and later.

local M = {
  -- How the server is started. Set it before the first file is opened.
  cmd = { "imgc", "lsp" },
}

-- The clients by the folder of their project. Neovim 0.8 and later keep this themselves.
local clients = {}

-- The nearest folder above a file that has a `.git`, else the file's own: what `imgc build`
-- takes for the project.
local function project(file)
  local own = vim.fn.fnamemodify(file, ":p:h")
  local folder = own
  while true do
    if vim.loop.fs_stat(folder .. "/.git") then
      return folder
    end
    local above = vim.fn.fnamemodify(folder, ":h")
    if above == folder then
      return own
    end
    folder = above
  end
end

local function settings(root)
  return {
    name = "imgc",
    cmd = M.cmd,
    root_dir = root,
    workspace_folders = { { uri = vim.uri_from_fname(root), name = root } },
    capabilities = vim.lsp.protocol.make_client_capabilities(),
  }
end

-- Starts the server for a buffer's project, if it doesn't run, and tells it of the buffer.
function M.attach(buffer)
  local file = vim.api.nvim_buf_get_name(buffer)
  if file == "" or vim.bo[buffer].buftype ~= "" then
    return
  end
  local root = project(file)
  if vim.lsp.start then
    vim.lsp.start(settings(root), { bufnr = buffer })
    return
  end
  if not clients[root] then
    local config = settings(root)
    config.on_exit = function()
      clients[root] = nil
    end
    clients[root] = vim.lsp.start_client(config)
  end
  if clients[root] then
    vim.lsp.buf_attach_client(buffer, clients[root])
  end
end

-- Tells the servers that files may be new, as a build leaves them.
local function built()
  local all = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in ipairs(all()) do
    if client.name == "imgc" then
      vim.lsp.get_client_by_id(client.id).rpc.notify("workspace/didChangeWatchedFiles", { changes = {} })
    end
  end
end

-- Builds an image in a terminal below: what a code lens names, or the file of the buffer.
function M.build(image)
  image = image or vim.api.nvim_buf_get_name(0)
  vim.cmd("new")
  vim.fn.termopen({ M.cmd[1], "build", "--", image }, { on_exit = built })
end

vim.lsp.commands["imgc.build"] = function(command)
  M.build(command.arguments and command.arguments[1])
end

return M
