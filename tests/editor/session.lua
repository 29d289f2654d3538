-- A session of Neovim, of version 0.7 or newer: opens net.py, applies the fix, saves, and prints what it saw.
-- SHAPELINT is the command of the server, in JSON. Neovim before 0.10 draws no inlay hints, so they are asked for, and
-- the code lenses have the shapes.
local buffer = vim.api.nvim_get_current_buf()
local seen, told = {}, 0

local function wait(what, holds)
  if not vim.wait(90000, holds, 20) then
    error(what .. " did not come")
  end
end

local function ask(method, more)
  local range = { start = { line = 0, character = 0 }, ["end"] = { line = vim.fn.line("$"), character = 0 } }
  local given = { textDocument = vim.lsp.util.make_text_document_params(buffer), range = range }
  local answers = vim.lsp.buf_request_sync(buffer, method, vim.tbl_extend("force", given, more or {}), 30000)
  local _, answer = next(answers)
  return answer.result or {}
end

local function note(when)
  local found = { when = when, diagnostics = {}, hints = {} }
  for _, each in ipairs(vim.diagnostic.get(buffer)) do
    local message = vim.split(each.message, "\n")[1]
    table.insert(found.diagnostics, { line = each.lnum + 1, code = each.code, message = message })
  end
  for _, each in ipairs(ask("textDocument/inlayHint")) do
    table.insert(found.hints, { line = each.position.line + 1, label = each.label })
  end
  table.insert(seen, found)
end

local function drawn()
  vim.lsp.codelens.refresh()
  local lines = {}
  wait("the code lenses", function()
    for _, space in pairs(vim.api.nvim_get_namespaces()) do
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(buffer, space, 0, -1, { details = true })) do
        for _, piece in ipairs(mark[4].virt_text or {}) do
          if piece[2] == "LspCodeLens" then
            table.insert(lines, { line = mark[2] + 1, text = piece[1] })
          end
        end
      end
    end
    return #lines > 0
  end)
  return lines
end

local published = vim.lsp.handlers["textDocument/publishDiagnostics"]
local client = vim.lsp.start_client({
  name = "shapelint",
  cmd = vim.fn.json_decode(vim.env.SHAPELINT),
  root_dir = vim.fn.getcwd(),
  handlers = {
    ["textDocument/publishDiagnostics"] = function(...)
      published(...)
      told = told + 1
    end,
  },
})
vim.lsp.buf_attach_client(buffer, client)
wait("the first check", function() return told == 1 end)
note("opened")
seen[1].lenses, seen[1].hinting = drawn(), vim.lsp.inlay_hint ~= nil
local fix
for _, action in ipairs(ask("textDocument/codeAction", { context = { diagnostics = {} } })) do
  fix = fix or (action.kind == "quickfix" and action.edit and action.title:find("(safe)", 1, true) and action)
end
vim.lsp.util.apply_workspace_edit(fix.edit, "utf-16")
vim.cmd("write")
wait("the check after the save", function() return told == 2 end)
note(fix.title)
io.write(vim.fn.json_encode(seen), "\n")
vim.lsp.stop_client(client)
wait("the end of the server", function() return #vim.lsp.get_active_clients() == 0 end)
