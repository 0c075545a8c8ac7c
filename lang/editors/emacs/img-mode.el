;;; img-mode.el --- Major mode for the language of imgc  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages

;;; Commentary:

;; Colours, indentation and comments for `.img' files.  What the program means, it leaves to
;; `imgc lsp', which eglot (part of Emacs 29) starts by \\[eglot].  `img-build' builds the
;; image of the file.

;;; Code:

(require 'compile)

(defgroup img nil
  "The language of imgc."
  :group 'languages)

(defcustom img-program "imgc"
  "The program that builds, and that is the language server."
  :type 'string)

(defcustom img-indent-offset 2
  "How many columns a level of indentation has."
  :type 'integer
  :safe #'integerp)

(defvar img-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?- "_" table)
    (modify-syntax-entry ?\\ "." table)
    ;; Strings have holes with strings in them: `img-syntax-propertize' finds their ends.
    (modify-syntax-entry ?\" "." table)
    (modify-syntax-entry ?\' "." table)
    table)
  "The syntax table of `img-mode'.")

(defconst img-font-lock-keywords
  `((,(regexp-opt '("let" "in" "if" "then" "else" "match" "assert" "import" "type") 'symbols)
     . font-lock-keyword-face)
    (,(regexp-opt '("true" "false") 'symbols) . font-lock-constant-face)
    ("\\_<std\\(?:/[A-Za-z_][A-Za-z0-9_-]*\\)+" . font-lock-constant-face)
    ("\\.\\.?/[A-Za-z0-9_.+@~%/-]*" . font-lock-constant-face)
    ("\\_<[A-Z][A-Za-z0-9_-]*\\_>" . font-lock-type-face)
    ("\\_<\\([a-z_][A-Za-z0-9_-]*\\)\\s-*\\(?:=[^=>]\\|=$\\|:\\)" 1 font-lock-variable-name-face))
  "What is coloured beside comments and strings.")

(defun img--after-hole ()
  "Go behind the brace that closes the hole that point is in."
  (let ((depth 1))
    (while (and (> depth 0) (re-search-forward "[{}\"#]" nil 'move))
      (pcase (char-before)
        (?{ (setq depth (1+ depth)))
        (?} (setq depth (1- depth)))
        (?# (end-of-line))
        (?\" (img--after-string))))))

(defun img--after-string ()
  "Go behind the string whose first quote is before point.
Say whether it has an end."
  (let* ((is-long (looking-at-p "\"\""))
         (stop (if is-long "\"\"\"\\|\\\\\\|\\${" "\"\\|\\\\\\|\\${\\|\n"))
         (found nil))
    (when is-long
      (forward-char 2))
    (while (and (not found) (re-search-forward stop nil 'move))
      (pcase (char-before)
        (?\\ (unless (eobp) (forward-char)))
        (?{ (img--after-hole))
        (?\n (backward-char) (setq found 'line))
        (_ (setq found t))))
    (eq found t)))

(defun img-syntax-propertize (start end)
  "Mark the ends of the strings between START and END."
  (goto-char start)
  ;; One that has begun before is marked again, as it may end elsewhere now.
  (let ((begun (nth 8 (syntax-ppss))))
    (when begun
      (goto-char begun)))
  (while (and (< (point) end) (re-search-forward "[\"#]" end 'move))
    (if (eq (char-before) ?#)
        (end-of-line)
      (let ((first (1- (point))))
        (put-text-property first (1+ first) 'syntax-table (string-to-syntax "|"))
        (img--after-string)
        (unless (= (point) (1+ first))
          (put-text-property (1+ first) (1- (point)) 'syntax-table (string-to-syntax "."))
          (put-text-property (1- (point)) (point) 'syntax-table (string-to-syntax "|")))))))

(defun img--face (state)
  "The face of the comment or string that STATE is in."
  (cond ((nth 3 state) font-lock-string-face)
        ((eq (char-after (1+ (nth 8 state))) ?#) font-lock-doc-face)
        (t font-lock-comment-face)))

(defun img--open-let (limit)
  "Where the innermost `let' before point stands that no `in' ends.
Look no further than LIMIT."
  (let ((depth 0) (inner (nth 0 (syntax-ppss))) (found nil))
    (while (and (not found) (re-search-backward "\\_<\\(let\\|in\\)\\_>" limit t))
      (let ((state (syntax-ppss)))
        (unless (or (nth 8 state) (/= (nth 0 state) inner))
          (if (looking-at-p "in")
              (setq depth (1+ depth))
            (if (> depth 0) (setq depth (1- depth)) (setq found (point)))))))
    found))

(defun img--goes-on ()
  "Whether the line of point goes on with what a line before it began.
If so, the last character before it that is no blank and in no comment."
  (save-excursion
    (beginning-of-line)
    (forward-comment (- (point)))
    (unless (or (bobp)
                (memq (char-before) '(?\; ?, ?{ ?\[ ?\())
                (looking-back "\\_<let" (line-beginning-position)))
      (char-before))))

(defun img--indentation ()
  "The column that the line of point begins in; none in a string."
  (save-excursion
    (beginning-of-line)
    (let ((state (syntax-ppss)))
      (unless (nth 3 state)
        (skip-chars-forward " \t")
        (let* ((bracket (nth 1 state))
               (is-end (looking-at-p "[]})]"))
               (is-in (looking-at-p "in\\_>"))
               (open (unless is-end
                       (save-excursion (img--open-let (or bracket (point-min))))))
               (at (or open bracket)))
          (if (not at)
              0
            (let ((column (current-indentation))
                  (goes-on (and (not is-end) (not is-in) (img--goes-on)))
                  (is-blank (eolp))
                  (base (save-excursion
                          (goto-char at)
                          (+ (current-indentation)
                             (if (or is-end (and is-in open)) 0 img-indent-offset)))))
              ;; How far a line goes in that goes on, its author says.
              (cond ((not goes-on) base)
                    ((and is-blank (memq goes-on '(?= ?>))) (+ base img-indent-offset))
                    (t (max base column))))))))))

(defun img-indent-line ()
  "Indent the line of point."
  (let ((column (img--indentation)))
    (if (not column)
        'noindent
      (if (<= (current-column) (current-indentation))
          (indent-line-to column)
        (save-excursion (indent-line-to column))))))

(defun img-build (image)
  "Build IMAGE: a file, or a file and the field of its record, `FILE#NAME'."
  (interactive (list buffer-file-name))
  (save-some-buffers (not compilation-ask-about-save))
  (compile (format "%s build -- %s" (shell-quote-argument img-program)
                   (shell-quote-argument image))))

(defvar img-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'img-build)
    map)
  "The keys of `img-mode'.")

;;;###autoload
(define-derived-mode img-mode prog-mode "img"
  "Major mode for the language of imgc.

\\{img-mode-map}"
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+[ \t]*")
  (setq-local comment-end "")
  (setq-local indent-tabs-mode nil)
  (setq-local tab-width img-indent-offset)
  (setq-local indent-line-function #'img-indent-line)
  (setq-local electric-indent-chars (append "]})" electric-indent-chars))
  (setq-local syntax-propertize-function #'img-syntax-propertize)
  (setq-local parse-sexp-lookup-properties t)
  (setq-local font-lock-defaults
              '(img-font-lock-keywords nil nil nil
                                       (font-lock-syntactic-face-function . img--face))))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.img\\'" . img-mode))

(defvar eglot-server-programs)
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons 'img-mode (lambda (&rest _) (list img-program "lsp")))))

(provide 'img-mode)
;;; img-mode.el ends here
