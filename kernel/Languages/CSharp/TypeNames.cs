using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>Spells types as C# source code.</summary>
internal static class TypeNames
{
    /// <summary>
    /// Returns the full name; for a type that cells cannot name, <c>dynamic</c>, so that its members can still be
    /// used.
    /// </summary>
    public static string Of(Type type) => TryName(type) ?? "dynamic";

    /// <summary>Returns the short name for display.</summary>
    public static string Short(Type type)
    {
        if (type.IsArray) return $"{Short(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } inner) return $"{Short(inner)}?";
        if (Keyword(type) is { } keyword) return keyword;
        var name = type.Name.Split('`')[0];
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Short))}>" : name;
    }

    private static string? TryName(Type type)
    {
        if (Keyword(type) is { } keyword) return keyword;
        if (type.IsPointer || type.IsByRef || type.IsGenericParameter) return null;
        if (type.IsArray)
            return TryName(type.GetElementType()!) is { } element ? $"{element}[{new string(',', type.GetArrayRank() - 1)}]"
                : null;
        var isOfCell = type.DeclaringType is { } owner && IsCell(owner);
        if (!isOfCell && (!type.IsVisible || type.Assembly.IsDynamic || type.Assembly.Location.Length == 0)) return null;
        var arguments = type.GetGenericArguments();
        var inherited = type.DeclaringType is { IsGenericType: true } outer && !isOfCell ? outer.GetGenericArguments().Length : 0;
        if (inherited > 0) return null;   // nested in a generic type: not supported, since it is rare
        var names = arguments.Select(TryName).ToList();
        if (names.Contains(null)) return null;
        var prefix = isOfCell ? "" : type.DeclaringType is { } parent ? $"{TryName(parent)}."
            : $"global::{(type.Namespace is { } space ? $"{space}." : "")}";
        var name = type.Name.Split('`')[0];
        if (!SyntaxFacts.IsValidIdentifier(name)) return null;
        return $"{prefix}@{name}{(arguments.Length == 0 ? "" : $"<{string.Join(", ", names)}>")}";
    }

    private static bool IsCell(Type type) => type.Name.StartsWith("Submission#", StringComparison.Ordinal);

    private static string? Keyword(Type type) => type.IsEnum ? null : Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Byte => "byte",
        TypeCode.Char => "char",
        TypeCode.Decimal => "decimal",
        TypeCode.Double => "double",
        TypeCode.Int16 => "short",
        TypeCode.Int32 => "int",
        TypeCode.Int64 => "long",
        TypeCode.SByte => "sbyte",
        TypeCode.Single => "float",
        TypeCode.String => "string",
        TypeCode.UInt16 => "ushort",
        TypeCode.UInt32 => "uint",
        TypeCode.UInt64 => "ulong",
        _ => type == typeof(object) ? "object" : null,
    };
}
