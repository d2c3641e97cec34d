using System.Globalization;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Graphs;

/// <summary>
/// Parses the style statements of diagrams with nodes and edges. <c>click</c> statements are ignored, because
/// diagrams never run code.
/// </summary>
internal static class StyleStatements
{
    public static bool Take(MermaidReader reader, Graph graph)
    {
        if (reader.TakeKeyword("classDef")) ReadDefinition(reader, graph);
        else if (reader.TakeKeyword("class")) ReadClass(reader, graph);
        else if (reader.TakeKeyword("style")) ReadStyle(reader, graph);
        else if (reader.TakeKeyword("linkStyle")) ReadLinkStyle(reader, graph);
        else if (reader.TakeKeyword("click")) _ = reader.TakeLine();
        else return false;
        return true;
    }

    private static void ReadDefinition(MermaidReader reader, Graph graph)
    {
        var names = Names(reader, "a class's name");
        var paint = Paint.Read(reader.TakeLine());
        foreach (var (name, _) in names) graph.ClassPaints[name] = paint;
    }

    private static void ReadClass(MermaidReader reader, Graph graph)
    {
        var items = Names(reader, "a node's name");
        reader.SkipSpaces();
        var name = reader.TakeName("a class's name");
        foreach (var (id, at) in items) Known(reader, graph, id, at).Classes.Add(name);
    }

    private static void ReadStyle(MermaidReader reader, Graph graph)
    {
        var items = Names(reader, "a node's name");
        var paint = Paint.Read(reader.TakeLine());
        foreach (var (id, at) in items)
        {
            var item = Known(reader, graph, id, at);
            item.Paint = item.Paint.With(paint);
        }
    }

    private static void ReadLinkStyle(MermaidReader reader, Graph graph)
    {
        var edges = Names(reader, "an edge's number, from 0, or \"default\"");
        var paint = Paint.Read(reader.TakeLine());
        foreach (var (name, at) in edges)
        {
            if (name == "default") graph.PaintEdge(null, paint);
            else if (!int.TryParse(name, CultureInfo.InvariantCulture, out var number))
                throw reader.Expected("an edge's number, from 0, or \"default\"", at);
            else if (number >= graph.Edges.Count)
                throw reader.Refused($"found edge {number}; there are {graph.Edges.Count} edges so far, and the first is 0.", at);
            else graph.PaintEdge(number, paint);
        }
    }

    private static GraphItem Known(MermaidReader reader, Graph graph, string id, int at) =>
        graph.Find(id) ?? throw reader.Refused($"found \"{id}\"; expected a node or a subgraph that was named before.", at);

    private static List<(string Name, int At)> Names(MermaidReader reader, string what)
    {
        var names = new List<(string, int)>();
        do
        {
            reader.SkipSpaces();
            var at = reader.Position;
            names.Add((reader.TakeName(what), at));
        }
        while (reader.Take(","));
        reader.SkipSpaces();
        return names;
    }
}
