using ResearchKit.Checkpoints;
using ResearchKit.Models;

namespace ResearchKit.Tests.Formatting;

public sealed class PublishedModelFormattingTests
{
    [Fact]
    public void The_list_of_published_models_is_a_table_with_a_row_for_each()
    {
        var rows = Shown.Document(Zoo.Models).Descendants("tbody").Single().Elements("tr").ToList();
        Assert.Equal(Zoo.Models.Entries.Count, rows.Count);
        var row = rows.Single(each => each.Elements("td").First().Value == "resnet18");
        Assert.Contains("BSD-3-Clause", row.Value, StringComparison.Ordinal);
        Assert.Contains("resnet18-f37072fd.pth", row.Value, StringComparison.Ordinal);
        Assert.Equal(Zoo.Models.Entries.Count + 1, Shown.Text(Zoo.Models).Split('\n').Length);
    }

    [Fact]
    public void A_load_report_is_a_line_for_each_kind_of_difference_and_its_names_are_text()
    {
        var report = new LoadReport("Vit", "model.safetensors", 10)
        {
            New = ["classifier.weight [5, 48] (missing in the file)"],
            LeftOut = [Hostile.Text],
            Prefix = "module.",
        };
        Hostile.AssertHarmless(report);
        Assert.Equal(4, Shown.Document(report).Descendants("div").Count(line => (string?)line.Attribute("class") == "rk-line"));
        Assert.StartsWith("Vit from model.safetensors: 9 of 10 tensors loaded.\nNew, with initial values, train before use: "
            + "classifier.weight [5, 48] (missing in the file).\nLeft out of the file: ", Shown.Text(report),
                StringComparison.Ordinal);
    }
}
