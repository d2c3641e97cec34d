using System.Text;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Tests.Kernel.Notebooks;

public sealed class MalformedNotebookTests
{
    [Theory]
    [InlineData("", "is empty")]
    [InlineData("   \n", "is empty")]
    [InlineData("hello", "not valid JSON at line 1")]
    [InlineData("[]", "expected an object at the top, found a list")]
    [InlineData("null", "expected an object at the top, found null")]
    [InlineData("{}", "no 'nbformat'")]
    [InlineData("""{"nbformat":3,"nbformat_minor":0,"metadata":{},"worksheets":[]}""", "format 3.0; expected 4.0 to 4.5")]
    [InlineData("""{"nbformat":4,"nbformat_minor":9,"metadata":{},"cells":[]}""", "format 4.9")]
    [InlineData("""{"nbformat":"4","metadata":{},"cells":[]}""", "nbformat: expected a whole number, found a string")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":[],"cells":[]}""", "metadata: expected an object, found a list")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{}}""", "cells: expected a list of cells, found nothing")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":{}}""", "cells: expected a list of cells, found an object")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[1]}""", "cells[0]: expected a cell")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"codes"}]}""", "cells[0].cell_type: expected 'code', 'markdown' or 'raw', found 'codes'")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"raw","source":7}]}""", "cells[0].source: expected a string or a list of strings, found a number")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"raw","source":["a",1]}]}""", "found a list that holds something else")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"raw","source":"","id":"a b"}]}""", "cells[0].id")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"raw","source":"","metadata":{"tags":"x"}}]}""", "cells[0].metadata.tags: expected a list of strings")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","source":"","outputs":{}}]}""", "cells[0].outputs: expected a list, found an object")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":"code","source":"","outputs":[{"output_type":"stream","name":"stdout","text":{}}]}]}""", "cells[0].outputs[0].text")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"metadata":{},"cells":[]}""", "names the same property twice")]
    [InlineData("""{"nbformat":4,"nbformat_minor":5,"metadata":{"a":"\ud800"},"cells":[]}""", "not valid Unicode")]
    public void A_malformed_notebook_is_refused_with_one_sentence(string json, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => NotebookDocument.Parse(json, "study.ipynb"));
        Assert.StartsWith("study.ipynb", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_notebook_is_refused_with_its_path()
    {
        var whole = Encoding.UTF8.GetBytes(NotebookDocument.Parse(TestNotebook.Of(TestNotebook.Code("var é = 1;\n2"),
            TestNotebook.Markdown("# x")), "x").ToJson().TrimEnd());
        using var folder = new TemporaryFolder();
        for (var length = 0; length < whole.Length; length += 7)
        {
            var path = Path.Combine(folder.Path, "cut.ipynb");
            File.WriteAllBytes(path, whole[..length]);
            Assert.StartsWith(path, Assert.Throws<InvalidDataException>(() => NotebookDocument.Load(path)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_error_names_a_missing_notebook() =>
        Assert.Contains("nowhere.ipynb",
            Assert.Throws<FileNotFoundException>(() => NotebookDocument.Load("nowhere.ipynb")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"source\":\"caf{0}\"")]
    [InlineData("\"source\":[\"x\\n\",\"caf{0}\"]")]
    [InlineData("\"source\":\"\",\"outputs\":[{{\"output_type\":\"stream\",\"name\":\"stdout\",\"text\":[\"{0}\"]}}]")]
    [InlineData("\"source\":\"\",\"metadata\":{{\"{0}\":1}}")]
    [InlineData("\"source\":\"\",\"outputs\":[{{\"output_type\":\"display_data\",\"data\":{{\"a/b\":{{\"c\":[\"{0}\"]}}}}}}]")]
    public void Bytes_that_are_no_Unicode_are_refused_with_their_place(string cell)
    {
        var text = "{\"nbformat\":4,\"nbformat_minor\":5,\"metadata\":{},\n\"cells\":[{\"cell_type\":\"code\","
            + string.Format(System.Globalization.CultureInfo.InvariantCulture, cell, "é") + "}]}";
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "latin1.ipynb");
        File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text));
        var error = Assert.Throws<InvalidDataException>(() => NotebookDocument.Load(path));
        Assert.Contains("0xE9 at line 2, column", error.Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(text));
        NotebookDocument.Load(path);
    }
}
