vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, {
  pattern = "*.img",
  callback = function(event)
    vim.bo[event.buf].filetype = "img"
  end,
})
