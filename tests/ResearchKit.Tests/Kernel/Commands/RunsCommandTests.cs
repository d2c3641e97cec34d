using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;
using ResearchKit.Training;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>Runs listed and compared: for people and for programs.</summary>
public sealed class RunsCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Runs_are_listed_newest_first()
    {
        Run("runs/study/one", day: 1, seed: 1, loss: 1.5);
        Run("runs/study/deep/two", day: 3, seed: 2, loss: 1.25);
        Run("runs/other", day: 2, seed: -3, loss: double.NaN);
        Assert.Equal(0, await InvokeAsync("runs", folder.PathTo("runs")));
        var lines = Lines();
        Assert.Equal(["run", "name", "status", "started (UTC)", "seed", "commit", "measured"], Words(lines[0]));
        Assert.Equal([Path.Combine("study", "deep", "two"), "study", "–", "2026-01-03 00:00:00", "2", "0123456789+changes",
            "loss 1.25 nats"], Words(lines[2]));
        Assert.Equal([Path.Combine("study", "deep", "two"), "other", Path.Combine("study", "one")],
            lines[2..].Select(line => Words(line)[0]));
        Assert.Contains("loss NaN nats", lines[3], StringComparison.Ordinal);
        Assert.Empty(error.ToString());
    }

    [Fact]
    public async Task Malformed_records_are_named_and_the_other_runs_are_still_listed()
    {
        Run("runs/good", day: 1, seed: 1, loss: 1.5);
        folder.File("runs/cut/run.json", "{\"schema\": 1,");
        folder.File("runs/foreign/run.json", "{\"artist\": \"x\"}");
        Assert.Equal(2, await InvokeAsync("runs", folder.PathTo("runs")));
        Assert.Contains("good", output.ToString(), StringComparison.Ordinal);
        var said = error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, said.Length);
        Assert.Contains(Path.Combine("cut", "run.json") + ", line 1: expected JSON.", said[0], StringComparison.Ordinal);
        Assert.Contains(Path.Combine("foreign", "run.json") + ": the record of a run has \"schema\"", said[1],
            StringComparison.Ordinal);

        Assert.Equal(2, await InvokeAsync("runs", folder.PathTo("runs"), "--json"));
        Assert.Equal("good", Path.GetFileName((string?)Json()["runs"]!.AsArray().Single()!["path"]));
        Assert.Equal(["cut", "foreign"],
            Json()["refused"]!.AsArray().Select(one => Path.GetFileName(Path.GetDirectoryName((string?)one!["path"]))));
    }

    [Fact]
    public async Task Missing_folders_and_folders_without_runs_are_reported()
    {
        Assert.Equal(2, await InvokeAsync("runs", folder.PathTo("none")));
        Assert.Contains($"There is no folder {folder.PathTo("none")};", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await InvokeAsync("runs", folder.Path));
        Assert.Equal($"no runs below {folder.Path}", output.ToString().Trim());
        Assert.Equal(2, await InvokeAsync("runs", "compare", folder.Path, folder.Path));
        Assert.Contains($"There is no record of a run at {folder.PathTo("run.json")}", error.ToString(),
            StringComparison.Ordinal);
        Assert.Equal(2, await InvokeAsync("runs", "compare", folder.Path));
    }

    [Fact]
    public async Task A_comparison_shows_different_settings_and_measured_metrics()
    {
        Run("a", day: 1, seed: 1, loss: 1.5, settings: new { steps = 100, rate = 0.1, name = "x" });
        Run("b", day: 2, seed: 2, loss: 1.25, settings: new { steps = 100, rate = 0.2, decay = true });
        Assert.Equal(0, await InvokeAsync("runs", "compare", folder.PathTo("a"), folder.PathTo("b/run.json")));
        var rows = Lines().Select(Words).ToList();
        Assert.Contains(["differs", "A", "B"], rows);
        Assert.Contains(["seed", "1", "2"], rows);
        Assert.Contains(["settings: rate", "0.1", "0.2"], rows);
        Assert.Contains(["settings: name", "x", "–"], rows);
        Assert.Contains(["settings: decay", "–", "true"], rows);
        Assert.DoesNotContain(rows, row => row[0].Contains("steps", StringComparison.Ordinal) || row[0] is "name" or "commit");
        Assert.Contains(["measured", "A", "B", "B − A", "unit"], rows);
        Assert.Contains(["loss", "1.5", "1.25", "-0.25", "nats"], rows);
    }

    [Fact]
    public async Task The_comparison_is_available_as_JSON()
    {
        Run("a", day: 1, seed: 1, loss: 1.5);
        Run("b", day: 2, seed: 1, loss: double.PositiveInfinity, settings: new { steps = 200 });
        Run("c", day: 3, seed: 1, loss: 1.75);
        Assert.Equal(0, await InvokeAsync("runs", "compare", folder.PathTo("a"), folder.PathTo("b"), folder.PathTo("c"),
            "--json"));
        Assert.Equal([folder.PathTo("a"), folder.PathTo("b"), folder.PathTo("c")],
            Json()["runs"]!.AsArray().Select(run => (string?)run!["path"]));
        var difference = Json()["differences"]!.AsArray().Single()!;
        Assert.Equal(("settings", "steps", "[100,200,100]"),
            ((string?)difference["part"], (string?)difference["name"], Compact(difference["values"])));
        var metric = Json()["metrics"]!.AsArray().Single()!;
        Assert.Equal(("loss", "nats", "[1.5,\"Infinity\",1.75]", "[\"Infinity\",0.25]"),
            ((string?)metric["name"], (string?)metric["unit"], Compact(metric["values"]), Compact(metric["changes"])));
        Assert.Empty(error.ToString());
    }

    [Fact]
    public async Task Several_runs_in_one_folder_are_listed_and_compared()
    {
        Run("a", day: 1, seed: 1, loss: 1.5);
        Run("a", day: 2, seed: 2, loss: 1.25, name: "second");
        Assert.Equal(0, await InvokeAsync("runs", folder.Path, "--json"));
        Assert.Equal([("second", 2), ("study", 1)],
            Json()["runs"]!.AsArray().Select(run => ((string)run!["name"]!, (int)run["seed"]!)));
        Assert.Equal(0, await InvokeAsync("runs", "compare", folder.PathTo("a"), "--json"));
        Assert.Equal("[1.5,1.25]", Compact(Json()["metrics"]!.AsArray().Single()!["values"]));
    }

    [Fact]
    public async Task A_notebook_without_a_named_run_is_listed_too()
    {
        var notebook = folder.File("plain.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        Assert.Equal(0, await InvokeAsync("run", notebook, "--output", folder.PathTo("runs/plain")));
        Assert.Equal(0, await InvokeAsync("runs", folder.PathTo("runs"), "--json"));
        var run = Json()["runs"]!.AsArray().Single()!;
        Assert.Equal(("plain", "succeeded", null), ((string?)run["name"], (string?)run["status"], (int?)run["seed"]));
        Assert.Equal(2, await InvokeAsync("runs", "compare", folder.PathTo("runs/plain")));
        Assert.Contains("has one run; expected two or more", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markup_and_escape_sequences_in_names_are_shown_as_text()
    {
        Run("a", day: 1, seed: 1, loss: 1, settings: new { note = "[red]x[/] \u001b[31m[" }, name: "[bold]name\n[/]");
        Run("b", day: 2, seed: 1, loss: 1, settings: new { note = "[/]" });
        Assert.Equal(0, await InvokeAsync("runs", folder.Path));
        Assert.Contains("[bold]name", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await InvokeAsync("runs", "compare", folder.PathTo("a"), folder.PathTo("b")));
        Assert.Contains("[red]x[/] [", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output.ToString());
    }

    [Fact]
    public async Task The_help_has_examples()
    {
        Assert.Equal(0, await InvokeAsync("runs", "--help"));
        Assert.Contains("researchkit runs results --json", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await InvokeAsync("runs", "compare", "--help"));
        Assert.Contains("researchkit runs compare results/one/run.json", output.ToString(), StringComparison.Ordinal);
    }

    private void Run(string path, int day, long seed, double loss, object? settings = null, string name = "study")
    {
        var run = new TrainingRun
        {
            Name = name,
            Started = new DateTime(2026, 1, day, 0, 0, 0, DateTimeKind.Utc),
            Seed = seed,
            Settings = (settings ?? new { steps = 100 }).GetType().GetProperties()
                .ToDictionary(one => one.Name, one => one.GetValue(settings ?? new { steps = 100 })!),
            Metrics = new Dictionary<string, Measurement> { ["loss"] = new(loss, "nats") },
        };
        var process = new RunProcess { Id = "0", Commit = "0123456789abcdef0123456789abcdef01234567+changes" };
        RunFile.Update(folder.PathTo(path), record => record is not null ? record with { Runs = [.. record.Runs, run] }
            : new RunRecord { Started = run.Started, Process = process, Runs = [run] });
    }

    private async Task<int> InvokeAsync(params string[] arguments)
    {
        output.GetStringBuilder().Clear();
        error.GetStringBuilder().Clear();
        return await CommandLine.InvokeAsync(arguments, output, error);
    }

    private JsonNode Json() => JsonNode.Parse(output.ToString())!;

    private static string Compact(JsonNode? node) => node!.ToJsonString();

    private string[] Lines() => output.ToString().ReplaceLineEndings("\n")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Words(string line) =>
        [.. line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
