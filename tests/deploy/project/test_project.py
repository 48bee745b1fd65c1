"""Three files that nobody has seen before, and the example: each becomes a project whose definitions take every row."""

import csv
import datetime as dt
import json
import random
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deploy.project.__main__ import main
from deploy.project.errors import ProjectError
from deploy.project.project import write_project
from deploy.project.wishes import Wishes
from shared_features import Boolean, Condition, Decimal, Integer, Text, Timestamp, load_definitions
from streaming.operations.produce.rows.file_rows import file_rows
from streaming.operations.produce.rows.fit import tried
from streaming.operations.produce.rows.row_encoder import Reading, RowEncoder, key_fields
from streaming.settings import load_settings

BEGAN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ROWS = 300


def sensor_readings(folder):
    """Parquet: one reading a minute, with gaps, whole numbers that are floats because some are missing, no label."""
    drawn = random.Random(1)
    rows = [
        {
            "reading_id": number,
            "ts": BEGAN + dt.timedelta(minutes=number),
            "sensor": f"s{drawn.randrange(8)}",
            "celsius": None if number % 7 == 0 else round(drawn.gauss(20, 4), 3),
            "pulses": None if number % 11 == 0 else float(drawn.randrange(90)),
            "note": None,
        }
        for number in range(ROWS)
    ]
    file = folder / "readings.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


def marketplace_orders(folder):
    """CSV: text keys, empty values, zip codes, names of columns that are no identifiers, outcomes in the same file."""
    drawn = random.Random(2)
    file = folder / "orders.csv"
    with file.open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["Order ID", "order_id", "placed at", "Seller", "class", "2nd item", "price €", "zip", "coupon",
                        "refunded", "refunded at"])  # fmt: skip
        for number in range(ROWS):
            at = BEGAN + dt.timedelta(hours=number)
            table.writerow([
                f"A-{number}", drawn.randrange(4), at.isoformat(), f"shop {drawn.randrange(20)}",
                drawn.choice(["new", "used"]), drawn.choice(["yes", "no"]), f"{drawn.uniform(1, 900):.2f}",
                f"{drawn.randrange(1000):05}", drawn.choice(["", "", "SPRING"]), int(drawn.random() < 0.1),
                (at + dt.timedelta(days=3)).isoformat(),
            ])  # fmt: skip
    return file


def log_lines(folder):
    """JSON lines: nested objects, a list, times as milliseconds, a field that only some lines have."""
    drawn = random.Random(3)
    lines = []
    for number in range(ROWS):
        line = {
            "time": int(BEGAN.timestamp() * 1000) + number * 1700,
            "request": {"id": f"{drawn.getrandbits(64):016x}", "path": drawn.choice(["/", "/buy", "/cart"])},
            "host": {"name": f"web-{drawn.randrange(3)}"},
            "took": round(drawn.random(), 4),
            "bytes": drawn.randrange(10**6),
            "tags": ["a", "b"],
            "failed": drawn.random() < 0.2,
        }
        if number % 5 == 0:
            line["user"] = {"id": drawn.randrange(50)}
        lines.append(json.dumps(line))
    file = folder / "log.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def weather(folder):
    """CSV: sensors that all measure at the same instants, no column that names a row, a number to be predicted."""
    drawn = random.Random(4)
    file = folder / "weather.csv"
    with file.open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["sensor", "measured_at", "celsius", "humidity", "celsius_in_30min"])
        for number in range(ROWS // 3):
            for sensor in ("s1", "s2", "s3"):
                at = f"{BEGAN + dt.timedelta(minutes=30 * number):%Y-%m-%d %H:%M:%S}"
                now, soon = drawn.gauss(0, 8), drawn.gauss(0, 8)
                table.writerow([sensor, at, f"{now:.2f}", drawn.choice(["", "61.5"]), f"{soon:.2f}"])
    return file


FILES = {"readings": sensor_readings, "market": marketplace_orders, "logs": log_lines, "weather": weather}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a project from a file (None: the example) and load it: what was said, the folder, the definitions."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(name, file=None, **wishes):
        said = write_project(name, file, tmp_path, "utf-8-sig", wishes=Wishes(**wishes))
        yours = load_definitions(f"{name}.features")
        for each in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[each]
        return said, tmp_path / name, yours

    return written


def types_of(catalogue, source):
    return {field.name: (field.type, field.optional) for field in catalogue.source(source).fields}


def maps_in(folder):
    return dict(re.findall(r"--map '?([\w.]+)=([^'\n]+?)'?(?= --|\n)", (folder / "README.md").read_text()))


@pytest.mark.parametrize("name", FILES)
def test_every_row_of_the_file_is_an_event_of_every_source(name, project, tmp_path):
    """Asked again here of the reader of the stream, with the --map of the README: `new` must not be its own judge."""
    file = FILES[name](tmp_path)
    said, folder, catalogue = project(name, file)
    rows, maps = list(file_rows(file)), maps_in(folder)
    settings = load_settings(topic_mode="embedded")
    for source in catalogue.sources:
        own = {field: column for field, column in maps.items() if source.has(field)}
        fit = tried(RowEncoder(source, key_fields(catalogue, source), rows, Reading(own)), rows, settings, 2**51)
        assert (fit.events, fit.rows, dict(fit.refused)) == (ROWS, ROWS, {})
        assert f"{source.name}: of the first {ROWS} rows, {ROWS} are events" in said


def test_readings_with_gaps_have_optional_numbers_and_no_label(project, tmp_path):
    said, folder, catalogue = project("readings", sensor_readings(tmp_path))
    assert types_of(catalogue, "readings") == {
        "reading_id": (Integer(low=0), False),
        "ts": (Timestamp("rfc3339"), False),
        "sensor": (Text(max_length=16), False),
        "celsius": (Decimal(decimals=3, low=-1_000, high=1_000), True),
        "pulses": (Integer(low=0), True),
    }
    (view,) = catalogue.views
    assert view.labels is None
    assert catalogue.groups[0].entity.keys == ("sensor",)
    (note,) = [line for line in said if "No column looks like a label" in line]
    assert "run this again with `--label COLUMN`. That could be celsius (a number), pulses (a number). If" in note
    assert any("Column `note` is left out: it is empty in every row" in line for line in said)
    module = (folder / "features.py").read_text()
    assert "# guessed: sensor is the key: 97% of its 300 values repeat, so it names an entity (8 different" in module


def test_orders_have_text_keys_mapped_names_and_labels_from_the_same_file(project, tmp_path):
    said, folder, catalogue = project("market", marketplace_orders(tmp_path))
    assert types_of(catalogue, "orders") == {
        "order_id_2": (Text(max_length=16), False),
        "order_id": (Integer(low=0), False),
        "placed_at": (Timestamp("rfc3339"), False),
        "Seller": (Text(max_length=16), False),
        "class_": (Text(max_length=16), False),
        "field_2nd_item": (Boolean(), False),
        "price": (Decimal(decimals=2, low=0, high=10_000), False),
        "zip": (Text(max_length=16), False),
        "coupon": (Text(max_length=16), True),
    }
    (view,) = catalogue.views
    assert (view.labels.value, view.labels.delay) == ("refunded", dt.timedelta(days=3))
    assert list(types_of(catalogue, view.labels.source.name)) == [view.labels.join, "refunded_at", "refunded"]
    assert catalogue.groups[0].entity.keys == ("Seller",)
    assert "field_2nd_item" in maps_in(folder)
    assert any("--map field_2nd_item=2nd item" in line for line in said)


def test_a_number_whose_name_looks_ahead_is_the_label_and_key_and_time_name_the_event(project, tmp_path):
    said, folder, catalogue = project("weather", weather(tmp_path))
    (view,) = catalogue.views
    assert (view.labels.value, view.labels.kind) == ("celsius_in_30min", "regression")
    assert (view.labels.joins, view.labels.delay) == (("sensor", "measured_at"), dt.timedelta(minutes=30))
    assert "celsius_in_30min" not in types_of(catalogue, "weather")
    assert not any("No column" in line or "became known" in line for line in said)
    assert "--arrival weather_celsius_in_30min=+30min" in said[-1]
    assert any("An outcome counts as known 30 min after its row" in line for line in said)
    text = re.sub(r"\n# ", " ", (folder / "features.py").read_text())
    assert "sensor and measured_at together do, so a" in text
    assert "celsius_in_30min becomes known later, so the event above lacks it: a request cannot know it." in text


def test_a_count_that_is_the_target_says_its_task(project, tmp_path):
    rows = ["id,at,shop,visitors,target"]
    rows += [f"r{n},{(BEGAN + dt.timedelta(hours=n)).isoformat()},s{n % 4},{n % 50},{n % 7}" for n in range(ROWS)]
    file = tmp_path / "visits.csv"
    file.write_text("\n".join(rows) + "\n")
    _, folder, catalogue = project("visits", file)
    assert catalogue.views[0].labels.kind == "regression"
    assert 'task="regression",' in (folder / "features.py").read_text()


def test_log_lines_have_the_fields_of_nested_objects(project, tmp_path):
    said, _, catalogue = project("logs", log_lines(tmp_path))
    assert types_of(catalogue, "log") == {
        "time": (Timestamp("ms"), False),
        "request_id": (Text(max_length=32), False),
        "request_path": (Text(max_length=16), False),
        "host_name": (Text(max_length=16), False),
        "took": (Decimal(decimals=4, low=0, high=10), False),
        "bytes": (Integer(low=0), False),
        "user_id": (Integer(low=0), True),
    }
    assert catalogue.source("log").event_id == "request_id"
    assert catalogue.groups[0].entity.keys == ("host_name",)
    assert catalogue.views[0].labels.value == "failed"
    assert any("When an outcome became known is unknown" in line for line in said)
    assert any("Column `tags` is left out: it holds lists" in line for line in said)


def late_rows(folder, **more):
    """CSV: rows that are received some time after they happened, a few with a clock that is behind."""
    drawn = random.Random(4)
    file = folder / "sales.csv"
    with file.open("w", newline="") as opened:
        names = ["sale_no", "placed", "received", "shop", "amount", *more]
        table = csv.DictWriter(opened, names)
        table.writeheader()
        for number in range(ROWS):
            at = BEGAN + dt.timedelta(hours=number)
            wait = dt.timedelta(seconds=-3 if number % 100 == 0 else drawn.expovariate(1 / 40))
            row = {"sale_no": f"S-{number}", "placed": at.isoformat(), "received": (at + wait).isoformat(),
                   "shop": f"shop-{drawn.randrange(9)}", "amount": round(drawn.uniform(1, 90), 2)}  # fmt: skip
            table.writerow(row | {name: value(number, at) for name, value in more.items()})
    return file


def test_a_time_of_receipt_is_the_arrival_time_and_no_field(project, tmp_path):
    said, folder, catalogue = project("late_sales", late_rows(tmp_path))
    assert list(types_of(catalogue, "sales")) == ["sale_no", "placed", "shop", "amount"]
    assert catalogue.source("sales").event_time == "placed"
    assert any("`received` says when a row became known: its name says so, and it is at or after placed in 297 of 300"
               in line for line in said)  # fmt: skip
    assert "--source sales --arrival sales=received" in (folder / "README.md").read_text()
    assert "--arrival sales=received" in said[-1]


def test_a_file_that_was_loaded_at_once_has_no_arrival_times(project, tmp_path):
    """The day of the load is no arrival: with it no row of training would see the history before."""
    file = late_rows(tmp_path, loaded_at=lambda number, at: "2027-01-01T00:00:00Z")
    file.write_text(file.read_text().replace("received", "other_time"))
    _, folder, catalogue = project("loaded_sales", file)
    assert "loaded_at" in types_of(catalogue, "sales")
    assert "--arrival" not in (folder / "README.md").read_text()


def test_a_row_that_comes_again_with_other_values_is_said_to_count_twice(project, tmp_path):
    """A row that differs in its arrival alone is the same event, and counts once."""
    file = late_rows(tmp_path)
    *head, last = file.read_text().splitlines()
    again = last.replace("2026", "2027", 2).split(",")
    file.write_text("\n".join([*head, last, ",".join([*last.split(",")[:-1], "0.5"]),
                               ",".join([*last.split(",")[:2], again[2], *again[3:]])]))  # fmt: skip
    said, folder, _ = project("corrected_sales", file)
    assert any("1 row has the sale_no of an earlier row and other values" in line for line in said)
    assert any("docs/how-to/correct-events.md" in line for line in said)
    assert "an event of its own" in (folder / "README.md").read_text()


def test_a_key_that_some_rows_lack_is_named_with_what_to_write(project, tmp_path):
    file = late_rows(tmp_path, buyer=lambda number, at: "" if number % 20 == 0 else f"b{number % 40}")
    said, _, catalogue = project("guest_sales", file)
    assert catalogue.groups[0].entity.keys == ("shop",)
    (line,) = [line for line in said if line.startswith("buyer may name an entity too. 15 rows lack it")]
    assert 'Entity("buyer", keys=("buyer",))' in line
    assert 'where=(Condition("buyer", "!=", "unknown"),)' in line


def test_an_outcome_with_a_time_only_where_it_is_true_is_false_when_the_delay_is_over(project, tmp_path):
    def cancelled_at(number, at):
        return (at + dt.timedelta(hours=number % 30)).isoformat() if number % 5 == 0 else ""

    file = late_rows(tmp_path, cancelled=lambda number, at: number % 5 == 0, cancelled_at=cancelled_at)
    said, folder, catalogue = project("cancelled_sales", file)
    labels = catalogue.views[0].labels
    assert (labels.source.event_time, labels.delay) == ("placed", dt.timedelta(hours=25))
    assert "--arrival sales=received --arrival sales_cancelled=cancelled_at" in said[-1]
    assert any("false means that nothing happened within hours(25)" in line for line in said)
    assert "an event that has none by then counts as false" in (folder / "features.py").read_text()


def test_old_rows_are_moved_also_where_the_file_is_longer_than_what_is_looked_at(project, tmp_path):
    """By its newest time of any kind, so that no outcome lies in the future."""
    file = tmp_path / "old.csv"
    hours = range(10_500)
    began = dt.datetime.now(dt.UTC) - dt.timedelta(hours=len(hours), days=40)
    rows = [f"o{each},{(began + dt.timedelta(hours=each)).isoformat()},s{each % 7},0," for each in hours]
    rows[0] = f"{rows[0][:-2]}1,{(began + dt.timedelta(hours=1)).isoformat()}"
    rows[-1] = f"{rows[-1][:-2]}1,{(dt.datetime.now(dt.UTC) - dt.timedelta(days=30, hours=1)).isoformat()}"
    file.write_text("\n".join(["order_id,at,shop,failed,failed_at", *rows]))
    said, _, _ = project("old_orders", file)
    assert any("The newest row is 30 days old" in line for line in said)
    assert said[-1].endswith("--move-days 30")  # whole days: the hour of the day stays that of live traffic


def test_lines_that_are_not_events_are_counted_and_do_not_stop_it(project, tmp_path):
    file = log_lines(tmp_path)
    file.write_text("not JSON\n" + file.read_text())
    said, folder, _ = project("logs", file)
    assert "log: of the first 301 rows, 300 are events" in said
    assert any("1 would be dead letters" in line for line in said)
    assert '"host_name": "web-' in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["market", "web_example"])
def test_the_written_test_passes(name, project, tmp_path):
    project(name, FILES[name](tmp_path) if name in FILES else None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_without_a_file_the_project_is_a_web_shop_with_data(project):
    said, folder, catalogue = project("web_example")
    assert "orders: of the first 5,000 rows, 5,000 are events" in said
    assert "returns: of the first 5,000 rows, 5,000 are events" in said
    assert catalogue.view("web_example").labels.value == "returned"
    assert maps_in(folder) == {"returns.at": "returned_at"}
    last = list(file_rows(folder / "orders.csv"))[-1]
    assert f"inspect shopper {last['shopper']}" in (folder / "README.md").read_text(), "a shopper with a recent order"
    age = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(last["at"])
    assert age < catalogue.groups[0].features[-1].window.length / 2, "the windows of today hold orders"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "no column of the file is a time, and every event needs one. It has a, b"),
        ("a,b\n", "has no rows"),
        ("a,b\n,\n", "no column of the file holds a value"),
        ("1,2026-03-01,x\n2,2026-03-02,y\n", "the names of the columns look like values: 1, 2026-03-01, x"),
        ("id,sec\na,1790000000\nb,1790000060\n", "sec looks like s since 1970: --event-time sec"),
    ],
)
def test_a_file_without_events_is_refused_and_nothing_is_left(text, reason, tmp_path):
    file = tmp_path / "some.csv"
    file.write_text(text)
    with pytest.raises(ProjectError, match=reason):
        write_project("from_some", file, tmp_path, "utf-8-sig")
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_where_nothing_repeats_says_so(project, tmp_path):
    file = tmp_path / "few.csv"
    file.write_text("id,at,x\na,2026-01-01,1.5\nb,2026-01-02,2.5\n")
    said, _, catalogue = project("few_rows", file)
    assert any("No column names an entity" in line for line in said)
    assert catalogue.groups[0].entity.keys == ("id",)


@pytest.mark.parametrize("name", ["My_Shop", "my-shop", "class", "2nd", "a__b", "streaming", "json"])
def test_a_name_that_cannot_be_a_package_of_yours_is_refused(name, tmp_path, capsys):
    assert main(["new", name, "--directory", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("millrace new: ")
    assert "name" in said
    assert not list(tmp_path.iterdir())


def test_a_folder_that_exists_is_refused_and_stays_as_it_is(tmp_path, capsys):
    (tmp_path / "my_shop").mkdir()
    assert main(["new", "my_shop", "--directory", str(tmp_path)]) == 1
    assert "exists. Give another name or --directory" in capsys.readouterr().err
    assert not list((tmp_path / "my_shop").iterdir())


def test_a_package_that_exists_here_is_called_a_folder_that_exists(tmp_path, monkeypatch, capsys):
    """From here Python finds it: it was said that `a Python module` would be found instead."""
    (tmp_path / "our_shop").mkdir()
    (tmp_path / "our_shop" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["new", "our_shop"]) == 1
    assert capsys.readouterr().err.startswith("millrace new: our_shop exists. Give another name or --directory")


FRENCH = ["N° commande", "Date", "class", "group", "Montant (€)", "Remise", "vide", "lambda"]


def french_orders(folder, date="%Y-%m-%dT%H:%M:%S+02:00", encoding="cp1252"):
    """CSV of a spreadsheet: semicolons, decimal commas, an empty column, names that are keywords or no identifiers."""
    drawn = random.Random(6)
    file = folder / "ventes.csv"
    with file.open("w", newline="", encoding=encoding) as opened:
        table = csv.writer(opened, delimiter=";")
        table.writerow(FRENCH)
        for number in range(ROWS):
            at = BEGAN + dt.timedelta(hours=number)
            amount = f"{drawn.uniform(1, 2000):.2f}".replace(".", ",")
            table.writerow([f"C-{number}", at.strftime(date), drawn.choice("ABC"), f"g{drawn.randrange(9)}", amount,
                            f"{drawn.randrange(30)} %", "", number % 3])  # fmt: skip
    return file


def test_a_spreadsheet_with_decimal_commas_is_read_with_its_encoding(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    said = write_project("ventes_fr", french_orders(tmp_path), tmp_path, "cp1252")
    catalogue = load_definitions("ventes_fr.features")
    assert types_of(catalogue, "ventes") == {
        "n_commande": (Text(max_length=16), False),
        "Date": (Timestamp("rfc3339"), False),
        "class_": (Text(max_length=16), False),
        "group": (Text(max_length=16), False),
        "montant": (Decimal(decimals=2, low=0, high=100_000), False),
        "Remise": (Text(max_length=16), False),
        "lambda_": (Integer(low=0), False),
    }
    assert catalogue.source("ventes").field("montant").unit == "euro"
    assert catalogue.groups[0].entity.keys == ("group",), "12 % is a number, and no entity"
    assert " --decimal-comma --encoding cp1252 --source ventes" in said[-1]
    assert f"ventes: of the first {ROWS} rows, {ROWS} are events" in said


def test_a_date_that_is_no_iso_date_is_refused_with_the_line_that_rewrites_it(tmp_path, capsys):
    file = french_orders(tmp_path, "%d/%m/%Y %H:%M", "utf-8-sig")
    assert main(["new", "ventes", "--from", str(file), "--directory", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "Date is written as '01/03/2026 00:00'. Write '2026-03-01T00:00:00'" in said
    assert "pl.col('Date').str.to_datetime('%d/%m/%Y %H:%M')" in said


def test_the_readme_has_commands_that_run_as_they_stand(project, tmp_path):
    """The whole path of the command, no time in the request, and the key that was asked for."""
    _, folder, _ = project("logs", log_lines(tmp_path))
    readme = (folder / "README.md").read_text()
    commands = readme.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert [shlex.split(line)[1] for line in commands] == [
        *("exec", "up", "produce", "inspect", "status", "predict", "down"),
    ]
    assert all(Path(shlex.split(line)[0]).is_file() for line in commands)
    asked = json.loads(shlex.split(next(line for line in commands if " predict " in line))[3])
    assert "time" not in asked
    assert "host.name is the field host_name" in readme


def test_a_file_about_one_thing_says_how_to_name_it(tmp_path):
    file = tmp_path / "load.csv"
    file.write_text("at,load\n" + "".join(f"2026-03-01T{hour:02}:00:00Z,{hour}.5\n" for hour in range(24)))
    with pytest.raises(ProjectError, match=r"the same text in every row.*--key"):
        write_project("one_thing", file, tmp_path, "utf-8-sig")


def test_the_first_column_of_a_table_that_numbers_its_rows_names_them(project, tmp_path):
    """As pandas writes it: without a name."""
    file = tmp_path / "frame.csv"
    rows = [f"{number},{(BEGAN + dt.timedelta(hours=number)).isoformat()},d{number % 3},1.5" for number in range(50)]
    file.write_text("\n".join([",at,device,value", *rows]) + "\n")
    _, _, catalogue = project("frames", file)
    assert (catalogue.source("frame").event_id, catalogue.groups[0].entity.keys) == ("column_1", ("device",))


def test_a_row_far_ahead_does_not_hide_that_the_file_is_old(project, tmp_path):
    file = late_rows(tmp_path)
    file.write_text(file.read_text() + "S-x,2099-01-01T00:00:00Z,2099-01-01T00:00:00Z,shop-1,1\n")
    said, _, _ = project("sales_ahead", file)
    assert any("far ahead of all others, up to 2099-01-01" in line for line in said)
    assert "--move-days" in said[-1]


def test_what_may_be_below_zero_is_compared_by_a_difference(project, tmp_path):
    _, folder, _ = project("weather", weather(tmp_path))
    module = (folder / "features.py").read_text()
    assert "def celsius_minus_usual(" in module
    assert 'unit="°C"' not in module, "one word alone is a name"


def test_the_next_page_is_named_as_a_person_opens_it_from_where_he_stands(tmp_path, monkeypatch):
    """The command that sends the file is for the directory of the project, and names the file as seen from there."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    *_, from_here = write_project("market", marketplace_orders(tmp_path), Path(".."), "utf-8-sig")
    assert from_here.startswith("next: ../market/README.md, then, in ..: ")
    *_, at_home = write_project("market", marketplace_orders(here), Path(), "utf-8-sig")
    assert at_home.startswith("next: market/README.md, then ")
    assert ", in " not in at_home


def states(folder, texts):
    rows = ["id,at,buyer,price,status"]
    at = [(BEGAN + dt.timedelta(hours=n)).isoformat() for n in range(ROWS)]
    rows += [f"o{n},{at[n]},b{n % 9},{n % 70}.5,{texts[n % len(texts)]}" for n in range(ROWS)]
    file = folder / "states.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def test_of_two_texts_a_model_gives_the_probability_of_the_rarer_one(project, tmp_path):
    """A label of two texts had no score: it was one of several classes."""
    file = states(tmp_path, ("kept", "returned", "kept"))
    _, folder, catalogue = project("two", file, label="status")
    labels = catalogue.views[0].labels
    assert (labels.classes, labels.kind) == (("kept", "returned"), "binary")
    text = " ".join((folder / "features.py").read_text().split())
    assert "a model gives the probability of the second class, the rarer of two texts." in text
    assert 'value=Condition("status", "==", "returned")' in text


def test_of_several_texts_the_label_says_how_to_ask_for_one(project, tmp_path):
    """What it says is written here as it stands, and makes a label."""
    file = states(tmp_path, ("kept", "sent", "kept", "lost", "sent", "kept"))
    _, folder, catalogue = project("several", file, label="status")
    labels = catalogue.views[0].labels
    assert (labels.value, labels.classes, labels.kind) == ("status", (), "multiclass")
    text = re.sub(r"\s+(# )?", " ", (folder / "features.py").read_text())
    (hint,) = re.findall(r'value=(Condition\("status", "==", "lost"\))', text)
    one = replace(labels, value=eval(hint, {"Condition": Condition}))
    one.check("view", catalogue.views[0].source)
    assert one.kind == "binary"


def test_a_label_of_truths_says_what_to_add_where_only_one_outcome_is_sent(project, tmp_path):
    _, folder, catalogue = project("truths", states(tmp_path, ("no", "yes", "no")), label="status")
    assert catalogue.views[0].labels.kind == "binary"
    text = re.sub(r"\s+(# )?", " ", (folder / "features.py").read_text())
    assert "If only true ones are ever sent, such as returns, add otherwise=False." in text
