namespace ResearchKit.Kernel.Notebooks.Parameters;

/// <summary>A language that a parameters cell can be written in.</summary>
internal interface IParameterLanguage
{
    /// <summary>The line that begins the cell with the values.</summary>
    string Heading { get; }

    /// <summary>Returns the variables that a cell declares, in order.</summary>
    IReadOnlyList<Parameter> Declared(string source);

    /// <summary>Reads a value as typed on the command line, independent of the culture.</summary>
    /// <exception cref="ArgumentException">The text is not a value of the parameter's type.</exception>
    ParameterValue Parse(Parameter parameter, string text);
}
