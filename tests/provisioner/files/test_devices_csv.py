"""The technicians' list of phones, as spreadsheets write it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.centrex.mac import MacAddress
from provisioner.files import spreadsheet
from provisioner.files.devices_csv import DeviceRow, read_devices_csv
from provisioner.files.errors import FileErrors

MAC = MacAddress("0015654aa937")
ROW = DeviceRow(2, MAC, "T46S", "48223809887", "101", "Zażółć gęślą jaźń", "Łódź")
HEADER = ["mac", "model", "line", "extension", "name", "site"]
CELLS = ["00:15:65:4a:a9:37", "T46S", "48223809887", "101", "Zażółć gęślą jaźń", "Łódź"]


def table(*rows: list[str], separator: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


def rows_of(data: bytes | str) -> tuple[DeviceRow, ...]:
    return read_devices_csv(data.encode() if isinstance(data, str) else data).rows


def errors_of(data: bytes | str) -> list[tuple[int, str, str]]:
    with pytest.raises(FileErrors) as refused:
        rows_of(data)
    return [(error.line, error.path, error.message) for error in refused.value.items]


def only_error(data: bytes | str) -> tuple[int, str, str]:
    errors = errors_of(data)
    assert len(errors) == 1, errors
    return errors[0]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250", "utf-16"])
def test_a_row_is_read_in_every_encoding_and_with_every_separator(
    separator: str, end: str, encoding: str
) -> None:
    assert rows_of(table(HEADER, CELLS, separator=separator, end=end).encode(encoding)) == (ROW,)


def test_polish_letters_of_windows_1250_come_out_right() -> None:
    letters = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"
    assert rows_of(f"mac;model;name\n{MAC};T46S;{letters}\n".encode("cp1250"))[0].name == letters


def test_polish_letters_of_iso_8859_2_are_refused_instead_of_read_wrong() -> None:
    line, _, message = only_error(f"mac;model;name\n{MAC};T46S;Księgowość\n".encode("iso-8859-2"))
    assert line == 2
    assert "looks like ISO 8859-2" in message


def test_columns_may_stand_in_any_order_and_case_and_some_may_lack() -> None:
    assert rows_of("Name,MODEL,Mac\nAnna,T46S,0015654AA937\n") == (DeviceRow(2, MAC, "T46S", name="Anna"),)


def test_polish_headers_are_known() -> None:
    text = "Adres MAC;Model telefonu;Linia;Numer wewnętrzny;Nazwa;Lokalizacja\n" + ";".join(CELLS)
    assert rows_of(text.encode("cp1250")) == (ROW,)


def test_the_separator_line_of_a_spreadsheet_is_obeyed() -> None:
    assert rows_of("sep=|\r\nmac|model|name\r\n0015654aa937|T46S|a,b;c\r\n")[0].name == "a,b;c"
    assert rows_of("sep=\t\nmac\tmodel\n0015654aa937\tT46S\n") == (DeviceRow(3, MAC, "T46S"),)


def test_quoted_cells_may_hold_the_separator_and_quotes() -> None:
    assert (
        rows_of('mac;model;name\n"0015654aa937";"T46S";"Biuro ""A""; parter"\n')[0].name
        == 'Biuro "A"; parter'
    )


def test_blank_rows_and_empty_columns_at_the_end_are_passed_over_and_rows_keep_their_numbers() -> None:
    text = "\n;;;;\nmac;model;;\n;;;\n0015654aa937;T46S;;\n\n001565000001;T46S\n;;;;;;;\n"
    assert [(row.row, str(row.mac)) for row in rows_of(text)] == [
        (5, "00:15:65:4a:a9:37"),
        (7, "00:15:65:00:00:01"),
    ]


def test_blanks_that_do_not_show_are_taken_off() -> None:
    text = "\u00a0mac ; model;name\n\u200b0015654aa937\u00a0;\ufeffT46S \u202f;\u00a0Anna Nowak\u2060\n"
    assert rows_of(text) == (DeviceRow(2, MAC, "T46S", name="Anna Nowak"),)


def test_the_apostrophe_that_marks_a_text_is_taken_off() -> None:
    assert rows_of("mac;model;line\n'0015654aa937;T46S;'48223809887\n")[0].line == "48223809887"


def test_the_plus_of_a_line_is_taken_off() -> None:
    assert rows_of("mac,model,line\n0015654aa937,T46S,+48223809887\n")[0].line == "48223809887"


def test_a_mac_of_digits_and_one_e_is_a_mac() -> None:
    assert rows_of("mac,model\n00156512E345,T46S\n")[0].mac == MacAddress("00156512e345")


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("line", "4.82238E+10", "has rounded the number to 4.82238E+10: format the column as Text"),
        ("line", "4,82238E+10", "has rounded the number to 4,82238E+10"),
        ("line", "48223809887.0", "is a decimal number: write 48223809887"),
        ("line", "-48223809887", "begins with -"),
        ("line", "48 223 809 887", "country code"),
        ("line", "#N/A", "is an error that the spreadsheet shows"),
        ("line", "#REF!", "is an error that the spreadsheet shows"),
        ("line", '="48223809887"', "is a formula: write 48223809887 alone"),
        ("extension", "1E+02", "has rounded the number"),
        ("extension", "101,0", "is a decimal number: write 101"),
        ("extension", "1o1", "must be digits only"),
        ("extension", "+101", "begins with +"),
        ("name", '=HYPERLINK("http://x")', "is a formula"),
        ("name", "'=1+1", "is a formula"),
        ("name", "+Anna", "begins with +"),
        ("name", "-Anna", "begins with -"),
        ("name", "@Anna", "begins with @"),
        ("name", "Anna\nNowak", "U+000A"),
        ("name", "Anna\x07", "U+0007"),
        ("name", "%NULL%", "forget the setting"),
        ("name", "x" * 129, "at most 128 fit"),
        ("site", "@SUM(A1)", "begins with @"),
    ],
)
def test_a_damaged_cell_is_named_by_row_and_column(column: str, cell: str, words: str) -> None:
    text = table(
        ["mac", "model", column], [str(MAC), "T46S", ""], ["001565000001", "T46S", cell], separator=";"
    )
    line, path, message = only_error(text)
    assert (line, path) == (3, column)
    assert words in message


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('="0015654aa937"', "is a formula: write 0015654aa937 alone, and format the column as Text"),
        ("=0015654aa937", "is a formula: write 0015654aa937 alone"),
        (
            "1565123456",
            "has 10 digits of 12: the spreadsheet has dropped its leading zeros; write 001565123456",
        ),
        ("1.5651E+350", "has rounded the address to 1.5651E+350"),
        ("00:15:65:4a:a9", "is not a MAC address"),
        ("01:00:5e:00:00:01", "can't be a phone's MAC address"),
        ("", "the row needs a mac"),
    ],
)
def test_a_damaged_mac_is_explained(cell: str, words: str) -> None:
    line, path, message = only_error(table(["mac", "model"], [cell, "T46S"]))
    assert (line, path) == (2, "mac")
    assert words in message


def test_a_row_without_a_model_is_refused() -> None:
    assert only_error("mac,model\n0015654aa937,\n") == (2, "model", "the row needs a model: add it")
    assert only_error("mac,model\n0015654aa937\n") == (2, "model", "the row needs a model: add it")


def test_all_bad_rows_are_named_and_no_row_is_taken() -> None:
    text = "mac,model,line\nx,T46S,y\n0015654aa937,T46S,48223809887\n001565000001,,1e9\n"
    assert [error[:2] for error in errors_of(text)] == [(2, "mac"), (2, "line"), (4, "model"), (4, "line")]


def test_a_refusal_is_read_by_people() -> None:
    with pytest.raises(FileErrors) as refused:
        read_devices_csv(b"mac,model\n0015654aa937,\n", "telefony.csv")
    assert str(refused.value) == "telefony.csv: row 2: model: the row needs a model: add it"


def test_a_phone_that_is_there_twice_is_named_with_both_rows() -> None:
    text = "mac,model\n0015654aa937,T46S\n001565000001,T46S\n00:15:65:4A:A9:37,T54W\n"
    assert only_error(text) == (4, "mac", "00:15:65:4a:a9:37 is already in row 2: leave one of them")


def test_an_extension_with_two_names_is_named_with_both_rows_and_a_shared_one_is_not() -> None:
    head = "mac,model,line,extension,name\n0015654aa937,T46S,48223809887,101,Anna\n"
    assert len(rows_of(head + "001565000001,T46S,48223809887,101,Anna\n")) == 2
    line, path, message = only_error(head + "001565000001,T46S,48223809887,101,Ewa\n")
    assert (line, path) == (3, "extension")
    assert "another line or name in row 2" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty: the first row names the columns: mac,model,line,extension,name,site"),
        ("\n\n ; ;\n", "the file is empty"),
        ("0015654aa937,T46S,48223809887,101,Anna,Biuro\n", "the header is missing"),
        ("mac,model\n", "there is no row below the header"),
        ("mac,line\n0015654aa937,48223809887\n", "the column model is missing"),
        ("mac,model,mac\n0015654aa937,T46S,x\n", "the column mac is there twice"),
        ("mac,model,Nazwa,name\n0015654aa937,T46S,x,y\n", "the column name is there twice"),
        (
            "mac,model,extention\n0015654aa937,T46S,1\n",
            "there is no column 'extention': did you mean extension?",
        ),
        ("mac,model,hasło\n0015654aa937,T46S,1\n", "there is no column 'hasło'"),
        ('mac,model\n0015654aa937,"T46S\n', "quotes of this row don't pair"),
        ('mac,model\n0015654aa937,"T46S"x\n', "quotes of this row don't pair"),
        ("mac,model,name\n0015654aa937,T46S,Nowak, Anna\n", "cell 4 ('Anna') stands under no header"),
        ("mac,model\n0015654aa937,T4\x006S\n", "NUL characters"),
        ("PK\x03\x04 and so on", "this is a workbook (xlsx or ods): save the sheet as CSV"),
    ],
)
def test_a_file_that_is_no_list_is_explained(text: str, words: str) -> None:
    assert words in only_error(text)[2]


def test_bytes_of_an_old_workbook_and_of_no_encoding_are_explained() -> None:
    assert "workbook (xls)" in only_error(b"\xd0\xcf\x11\xe0\xa1\xb1")[2]
    assert "neither UTF-8 nor Windows-1250" in only_error(b"mac,model\n\x81\x83")[2]
    assert "begins like UTF-16 but is damaged" in only_error(b"\xff\xfea\x00\x00\xd8b")[2]


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    size = spreadsheet.LARGEST_BYTES + 1
    assert (
        only_error(b"\xff" * size)[2] == f"the file has {size} bytes: at most {size - 1} are read; split it"
    )


def test_a_table_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 3)
    text = "mac,model\n" + "".join(f"0015650000{number:02},T46S\n" for number in range(1, 4))
    assert only_error(text)[2] == "the table has more than 3 rows: split it"


def test_a_huge_cell_is_refused() -> None:
    assert "a cell is huge" in only_error(f"mac,model\n0015654aa937,{'x' * 200_000}\n")[2]


cells = st.text(max_size=12) | st.sampled_from(
    ["0015654aa937", "T46S", "48223809887", "101", "=1", "'", '"', "+1"]
)


def refuses_or_reads(data: bytes) -> tuple[DeviceRow, ...]:
    try:
        return rows_of(data)
    except FileErrors as refused:
        rows: tuple[DeviceRow, ...] = ()
        bad = refused.items
    assert bad
    assert all(error.line >= 1 and error.message for error in bad)
    return rows


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_rows(data: bytes) -> None:
    refuses_or_reads(data)
    refuses_or_reads(b"mac,model,name\n" + data)


@given(st.lists(st.lists(cells, min_size=6, max_size=6), max_size=4), st.sampled_from(";,\t|"))
def test_any_table_is_read_or_refused_with_rows(rows: list[list[str]], separator: str) -> None:
    refuses_or_reads(table(HEADER, *rows, separator=separator).encode("utf-8", "replace"))


@given(st.text(min_size=1))
def test_a_name_that_is_read_is_what_the_cell_shows(name: str) -> None:
    data = table(["mac", "model", "name"], [str(MAC), "T46S", name], separator=";").encode("utf-8", "replace")
    for row in refuses_or_reads(data):
        shown = name.encode("utf-8", "replace").decode()
        assert row.name == spreadsheet.trimmed(shown).removeprefix("'")
