"""Tables from and to files: Excel (.xlsx) and CSV.

Reading finds the sheet and the heading row by the columns that are asked for, gives each cell with its place and
collects every fault; writing never lets a text become a formula.
"""

from evalsys.base.tables.faults import CellFault, TableFaulty
from evalsys.base.tables.reading import MAX_ROWS, Column, Row, Table, read_table
from evalsys.base.tables.streaming import TableFile
from evalsys.base.tables.unpacking import part_names, read_through
from evalsys.base.tables.values import ValueWrong, as_day, as_money, as_number, as_text, as_whole
from evalsys.base.tables.writing import FORMATS, Cell, Sheet, download, write_csv, write_xlsx

__all__ = [
    "FORMATS",
    "MAX_ROWS",
    "Cell",
    "CellFault",
    "Column",
    "Row",
    "Sheet",
    "Table",
    "TableFaulty",
    "TableFile",
    "ValueWrong",
    "as_day",
    "as_money",
    "as_number",
    "as_text",
    "as_whole",
    "download",
    "part_names",
    "read_table",
    "read_through",
    "write_csv",
    "write_xlsx",
]
