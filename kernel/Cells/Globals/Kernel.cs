using Microsoft.AspNetCore.Html;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>
/// The functions of cells under the class name of .NET Interactive, for notebooks that qualify them.
/// </summary>
public static class Kernel
{
    /// <inheritdoc cref="CellFunctions.display"/>
    public static DisplayedValue display(object? value, params string[] mimeTypes) => CellFunctions.display(value, mimeTypes);

    /// <inheritdoc cref="CellFunctions.HTML"/>
    public static IHtmlContent HTML(string content) => CellFunctions.HTML(content);

    /// <inheritdoc cref="CellFunctions.Javascript"/>
    public static void Javascript(string scriptContent) => CellFunctions.Javascript(scriptContent);

    /// <inheritdoc cref="CellFunctions.CSS"/>
    public static void CSS(string content) => CellFunctions.CSS(content);

    /// <inheritdoc cref="CellFunctions.GetInputAsync"/>
    public static Task<string> GetInputAsync(string prompt = "", string typeHint = "text") =>
        CellFunctions.GetInputAsync(prompt, typeHint);

    /// <inheritdoc cref="CellFunctions.GetPasswordAsync"/>
    public static Task<string> GetPasswordAsync(string prompt = "") => CellFunctions.GetPasswordAsync(prompt);
}
