;;; `imgc lsp' as eglot has it: what it shows is written to $RESULT.  -*- lexical-binding: t; -*-

;; Where Debian puts eglot for an Emacs without it.
(dolist (folder (file-expand-wildcards "/usr/share/emacs/site-lisp/elpa/*"))
  (push folder load-path))
(require 'eglot)
(require 'flymake)
(require 'json)
(setq eglot-sync-connect t
      eglot-connect-timeout 60
      eglot-send-changes-idle-time 0
      eglot-confirm-server-initiated-edits nil)

(defvar drive-seen nil)

(defun drive-see (name value)
  (push (cons name value) drive-seen))

(defun drive-until (what test)
  "What TEST gives, once it gives something."
  (let ((end (time-add nil 60)) found)
    (while (and (not (setq found (funcall test))) (time-less-p nil end))
      (accept-process-output nil 0.1))
    (or found (error "Never: %s" what))))

(defun drive-to (text)
  (goto-char (point-min))
  (search-forward text))

(find-file "app.img")
(call-interactively #'eglot)
(let ((found (drive-until "a diagnostic" (lambda () (flymake-start) (flymake-diagnostics)))))
  (drive-see 'diagnostics (vconcat (mapcar #'flymake-diagnostic-text found))))
(drive-to "\"hel")
(drive-see 'offered
           (vconcat (mapcar #'substring-no-properties
                            (all-completions "hel" (nth 2 (eglot-completion-at-point))))))
(drive-to "lib.welc")
(drive-see 'hover
           (let ((hover (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover
                                         (eglot--TextDocumentPositionParams))))
             (plist-get (plist-get hover :contents) :value)))
(xref-find-definitions "welcome")
(drive-see 'definition (format "%s:%d" (buffer-name) (line-number-at-pos)))
(switch-to-buffer "app.img")
(drive-to "lib.welc")
(eglot-rename "salute")
(eglot-format-buffer)
(drive-see 'app (buffer-string))
(drive-see 'lib (with-current-buffer "lib.img" (buffer-string)))
(with-temp-file (getenv "RESULT")
  (insert (json-encode drive-seen)))
