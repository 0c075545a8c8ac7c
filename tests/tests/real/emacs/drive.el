;;; What people see of `img-mode', without a screen.  -*- lexical-binding: t; -*-

(defvar drive-failures nil)

(defun drive-fail (format &rest arguments)
  (push (apply #'format format arguments) drive-failures))

(defun drive-face (text)
  "The face of the first character of TEXT in this buffer."
  (save-excursion
    (goto-char (point-min))
    (search-forward text)
    (get-text-property (match-beginning 0) 'face)))

;; Every program opens, is coloured to its end, and keeps its indentation.
(dolist (file command-line-args-left)
  (find-file file)
  (unless (eq major-mode 'img-mode)
    (drive-fail "%s: %s" file major-mode))
  (font-lock-ensure)
  (goto-char (point-max))
  (when (nth 3 (syntax-ppss))
    (drive-fail "%s: a string has no end" file))
  (let ((before (buffer-string)) (wrong nil))
    (goto-char (point-min))
    (while (and (not wrong) (not (eobp)))
      (unless (looking-at-p "[ \t]*$")
        (let ((column (current-indentation)) (wanted (img--indentation)))
          (when (and wanted (/= wanted column))
            (setq wrong (format "%d: %d instead of %d"
                                (line-number-at-pos) wanted column)))))
      (forward-line))
    (when wrong
      (drive-fail "%s:%s" file wrong))
    (unless (equal before (buffer-string))
      (drive-fail "%s: changed" file)))
  (kill-buffer))
(setq command-line-args-left nil)

(with-temp-buffer
  (insert "## Words.\nlet\n  debian = import std/debian; # why\n"
          "  text = \"a ${f \"{b\" c} d # no\"; after = \"\"\"\n  x \"y\" ${g}\n  \"\"\";\n"
          "  yes = true; path = ./x/y.txt; tag = Always;\nin text\n")
  (img-mode)
  (font-lock-ensure)
  (dolist (wanted '(("## Words" . font-lock-doc-face)
                    ("let" . font-lock-keyword-face)
                    ("debian =" . font-lock-variable-name-face)
                    ("import" . font-lock-keyword-face)
                    ("std/debian" . font-lock-constant-face)
                    ("why" . font-lock-comment-face)
                    ("a ${f" . font-lock-string-face)
                    ("{b" . font-lock-string-face)
                    ("d # no" . font-lock-string-face)
                    ("after" . font-lock-variable-name-face)
                    ("y\" $" . font-lock-string-face)
                    ("yes" . font-lock-variable-name-face)
                    ("true" . font-lock-constant-face)
                    ("./x/y.txt" . font-lock-constant-face)
                    ("Always" . font-lock-type-face)
                    ("in text" . font-lock-keyword-face)))
    (unless (eq (drive-face (car wanted)) (cdr wanted))
      (drive-fail "%s: %s" (car wanted) (drive-face (car wanted)))))
  (goto-char (point-min))
  (forward-line 2)
  (comment-region (line-beginning-position) (line-end-position))
  (beginning-of-line)
  (unless (looking-at-p "  # debian")
    (drive-fail "comment: %s" (buffer-substring (point) (line-end-position)))))

;; What is typed without indentation gets it.
(with-temp-buffer
  (insert "let\na = 1;\nb = {\nc = [\n1,\n];\n};\nin {\nx = a;\n}\n")
  (img-mode)
  (let ((inhibit-message t))
    (indent-region (point-min) (point-max)))
  (unless (equal (buffer-string)
                 "let\n  a = 1;\n  b = {\n    c = [\n      1,\n    ];\n  };\nin {\n  x = a;\n}\n")
    (drive-fail "indented: %s" (buffer-string))))

(dolist (failure (nreverse drive-failures))
  (message "%s" failure))
(kill-emacs (if drive-failures 1 0))
