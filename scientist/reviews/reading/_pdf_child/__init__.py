"""What looks at a PDF, in processes of its own: `pages` through PDFium, `beside` through pypdf.

Nothing here imports anything of ours but its neighbours, so that it starts quickly and holds nothing worth having; each
process limits itself before it looks at the file. Started as `_pdf` does it: see `__main__`.
"""
